import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lineage, parseMounts, placeOf } from '../../../../src/collect/cgroup/mounts.ts';

const HYBRID = `31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
37 31 0:34 / /sys/fs/cgroup/cpu rw shared:4 - cgroup cgroup rw,cpu,cpuacct
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
`;
const V2 = '30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n';
const IN_DOCKER_V1 = '900 1 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n';

describe('placeOf', () => {
  it('follows the memory controller to v1 on a hybrid host', () => {
    const place = placeOf('4:memory:/svc/a\n1:cpu:/x\n0::/\n', parseMounts(HYBRID));
    expect(place).toEqual({ version: 1, directory: '/sys/fs/cgroup/memory', path: '/svc/a' });
  });

  it('uses v2 where memory is there', () => {
    expect(placeOf('0::/system.slice/a:b.service\n', parseMounts(V2))).toEqual({
      version: 2,
      directory: '/sys/fs/cgroup',
      path: '/system.slice/a:b.service',
    });
  });

  it('takes the root of a mount off the path, inside a container', () => {
    const mounts = parseMounts(IN_DOCKER_V1);
    expect(placeOf('4:memory:/docker/abc/child\n', mounts)).toMatchObject({ path: '/child' });
    expect(placeOf('4:memory:/docker/abc\n', mounts)).toMatchObject({ path: '/' });
  });

  it('says so when the cgroup is not visible, instead of taking another', () => {
    const mounts = parseMounts(IN_DOCKER_V1);
    expect(placeOf('4:memory:/docker/abcdef\n', mounts)).toContain('outside');
    expect(placeOf('0::/../../other\n', parseMounts(V2))).toContain('outside');
    expect(placeOf('4:cpu:/a\n', parseMounts(HYBRID))).toBe('no memory cgroup is mounted here');
    expect(placeOf('', parseMounts(''))).toBe('no memory cgroup is mounted here');
  });

  it('reads escaped mount points', () => {
    const { unified } = parseMounts('30 23 0:26 / /mnt/c\\040group rw - cgroup2 none rw\n');
    expect(unified?.directory).toBe('/mnt/c group');
  });

  it('survives any text', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (mountinfo, cgroup) => {
        const place = placeOf(cgroup, parseMounts(mountinfo));
        expect(typeof place === 'string' || place.path.startsWith('/')).toBe(true);
      }),
    );
  });
});

describe('lineage', () => {
  it('goes from the cgroup to the root', () => {
    expect(lineage('/a/b')).toEqual(['/a/b', '/a', '/']);
    expect(lineage('/')).toEqual(['/']);
  });
});
