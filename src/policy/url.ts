/** What a URL that memwarden calls may be. */

const LONGEST = 2048;
const HIGHEST_PORT = 65_535;
const PORT = /^[^/]*\/\/[^/?#]*:(\d+)(?:[/?#]|$)/;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/;

/** localhost, 127.0.0.0/8 or ::1, which a URL has in brackets. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}

/** `http://127.0.0.1:3000@example.org/` reads like one host and calls the other. */
export function hasCredentials({ username, password }: URL): boolean {
  return username !== '' || password !== '';
}

/** `a URL that starts with http:// or https://` */
export function describeSchemes(schemes: readonly string[]): string {
  return `a URL that starts with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`;
}

/** What is expected in place of this text, or null when it is a URL of one of the schemes. */
export function unmetByUrl(text: string, schemes: readonly string[]): string | null {
  const scheme = /^(\w+):\/\//.exec(text)?.[1] ?? '';
  if (!schemes.includes(scheme.toLowerCase())) return describeSchemes(schemes);
  if (text.length > LONGEST) return `a URL of at most ${LONGEST} characters`;
  if (!URL.canParse(text)) {
    return Number(PORT.exec(text)?.[1]) > HIGHEST_PORT
      ? `a URL with a port of at most ${HIGHEST_PORT}`
      : 'a valid URL';
  }
  const url = new URL(text);
  if (hasCredentials(url)) return 'a URL without user and password';
  return url.hostname === '' ? 'a URL with a host' : null;
}
