# syntax=docker/dockerfile:1
# One small image with one binary: both pages are inside it.
#   docker build --tag dopamine-hero .
#   docker run --publish 3001:3001 --volume heroes:/var/lib/dopamine-hero --env SECRET_KEYS dopamine-hero

FROM node:20-bookworm-slim AS web
WORKDIR /build/web
# The dependencies first: this layer is built again only when the lock file changes.
COPY web/package.json web/package-lock.json ./
COPY web/sdk/package.json sdk/
COPY web/player/package.json player/
COPY web/admin/package.json admin/
RUN npm ci --no-audit --no-fund
COPY web/ ./
RUN npm run build

FROM rust:1.95.0-slim-bookworm AS server
# The image has this one toolchain; rust-toolchain.toml would make rustup fetch clippy and rustfmt too.
ENV RUSTUP_TOOLCHAIN=1.95.0 CARGO_TERM_COLOR=never
WORKDIR /build
COPY . .
COPY --from=web /build/web/player/dist web/player/dist
COPY --from=web /build/web/admin/dist web/admin/dist
# What is compiled of the dependencies stays in the cache mounts between builds.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --release --locked --package game-server --bin dopamine-hero \
    && install -D --strip target/release/dopamine-hero /out/dopamine-hero

FROM debian:bookworm-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin dopamine-hero \
    && install --directory --owner=dopamine-hero --mode=0700 /var/lib/dopamine-hero
COPY --from=server /out/dopamine-hero /usr/local/bin/dopamine-hero
# Whom to believe on the other end of HTTPS: buckets, Postgres, the keys of ID tokens.
COPY --from=server /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
ENV APP_ENV=production \
    HOST=0.0.0.0 \
    METRICS_HOST=0.0.0.0 \
    DATABASE_URL=sqlite:///var/lib/dopamine-hero/heroes.sqlite \
    LOG_FORMAT=json
USER dopamine-hero
VOLUME /var/lib/dopamine-hero
# Players and metrics. The operators' port 3002 answers inside the container only, until it asks for a login.
EXPOSE 3001 9464
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 CMD ["dopamine-hero", "healthcheck"]
# SIGTERM saves everything and tells the players to come back: give it more than its own deadline of 10 s.
STOPSIGNAL SIGTERM
ENTRYPOINT ["dopamine-hero"]
CMD ["serve"]
