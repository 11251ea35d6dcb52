# syntax=docker/dockerfile:1
# One small image with one binary: both pages are inside it.
#   docker build --tag dopamine-hero .
# One server that keeps its heroes in a SQLite file, on the volume `heroes`; with Postgres: infrastructure/compose.yaml.
#   export SECRET_KEYS="$(openssl rand -base64 32)"     # keep it: without it nobody can log in again
#   docker run --publish 3001:3001 --volume heroes:/var/lib/dopamine-hero --env SECRET_KEYS --read-only --tmpfs /tmp \
#     --cap-drop ALL --security-opt no-new-privileges --stop-timeout 30 dopamine-hero
# What is compiled into it, as CycloneDX in the folder sbom (inside the image: /usr/share/doc/dopamine-hero):
#   docker build --target sbom --output sbom .

FROM node:20-bookworm-slim AS web
WORKDIR /build/web
# The dependencies first: this layer is built again only when the lock file changes.
COPY web/package.json web/package-lock.json ./
COPY web/sdk/package.json sdk/
COPY web/player/package.json player/
COPY web/admin/package.json admin/
RUN npm ci --no-audit --no-fund
COPY web/ ./
RUN npm run build \
    && npm sbom --omit dev --sbom-format cyclonedx > web.cdx.json

FROM rust:1.95.0-slim-bookworm AS tools
# The image has this one toolchain; rust-toolchain.toml would make rustup fetch clippy and rustfmt too.
ENV RUSTUP_TOOLCHAIN=1.95.0 CARGO_TERM_COLOR=never
# Not optimised: each runs for seconds, and optimising them takes minutes.
RUN cargo install --locked --debug cargo-chef@0.1.78 cargo-cyclonedx@0.5.9
WORKDIR /build

# The manifests and the lock file in one file that is the same as long as they are.
FROM tools AS recipe
COPY . .
RUN cargo chef prepare --recipe-path /recipe.json

FROM tools AS server
# The dependencies first: this layer is compiled again only when a manifest or the lock file changes.
COPY --from=recipe /recipe.json /recipe.json
RUN cargo chef cook --release --locked --package game-server --bin dopamine-hero --recipe-path /recipe.json
COPY . .
COPY --from=web /build/web/player/dist web/player/dist
COPY --from=web /build/web/admin/dist web/admin/dist
RUN cargo build --release --locked --package game-server --bin dopamine-hero \
    && install -D --strip target/release/dopamine-hero /out/dopamine-hero \
    && install --directory --mode=0700 /out/state/dopamine-hero \
    && cargo cyclonedx --format json --spec-version 1.5 --describe binaries --manifest-path game-server/Cargo.toml

FROM scratch AS sbom
COPY --from=server /build/game-server/dopamine-hero_bin.cdx.json /server.cdx.json
COPY --from=web /build/web/web.cdx.json /web.cdx.json

FROM debian:bookworm-slim
# Whom to believe on the other end of HTTPS: buckets, Postgres, the keys of ID tokens.
COPY --from=server /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=sbom / /usr/share/doc/dopamine-hero/
COPY --from=server --chown=10001:10001 /out/state/ /var/lib/
COPY --from=server /out/dopamine-hero /usr/local/bin/dopamine-hero
ENV APP_ENV=production \
    HOST=0.0.0.0 \
    METRICS_HOST=0.0.0.0 \
    DATABASE_URL=sqlite:///var/lib/dopamine-hero/heroes.sqlite \
    LOG_FORMAT=json
# A number that has no name and needs none; whoever forbids root can see that it is not root.
USER 10001:10001
VOLUME /var/lib/dopamine-hero
# Players and metrics. The operators' port 3002 answers inside the container only, until ADMIN_HOST says otherwise.
EXPOSE 3001 9464
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["dopamine-hero", "healthcheck"]
# SIGTERM saves everything and tells the players to come back: give it more than its own deadline of 10 s. The server is
# process 1 and starts no other, so it needs no init.
STOPSIGNAL SIGTERM
ENTRYPOINT ["dopamine-hero"]
CMD ["serve"]
# Last, because every build has others.
ARG VERSION=unknown
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="Dopamine Hero" \
      org.opencontainers.image.description="The game server with its pages for players and operators" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version=$VERSION \
      org.opencontainers.image.revision=$REVISION \
      org.opencontainers.image.created=$CREATED
