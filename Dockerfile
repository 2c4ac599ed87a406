FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY src ./src
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

FROM node:24-slim
RUN apt-get update \
  && apt-get install -y --no-install-recommends tini \
  && rm -rf /var/lib/apt/lists/* \
  && install -d -o node -g node /var/lib/memwarden
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
USER node
VOLUME /var/lib/memwarden
EXPOSE 8181
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.MEMWARDEN_PORT ?? 8181}/health/live`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# -s: in a shared PID namespace tini is not process 1 and still has to adopt what is orphaned.
ENTRYPOINT ["tini", "-s", "--", "node", "dist/cli/main.js"]
# Listening beyond loopback needs a token: give MEMWARDEN_TOKEN, or the start is refused.
CMD ["serve", "--host", "0.0.0.0", "--data-dir", "/var/lib/memwarden"]
