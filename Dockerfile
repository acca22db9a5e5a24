# The base images are arguments, so that a mirror or other versions can be used:
#   docker build --build-arg RUST_IMAGE=registry.example/rust:1-bookworm -t plaid-token-broker .
ARG RUST_IMAGE=rust:1-bookworm
# Has what the binary needs: the C library, the root certificates and a user who is not root (65532).
ARG RUNTIME_IMAGE=gcr.io/distroless/cc-debian12:nonroot

FROM ${RUST_IMAGE} AS build
WORKDIR /src
# The dependencies first, in a layer of their own: it is reused until Cargo.lock changes.
COPY Cargo.toml Cargo.lock ./
RUN mkdir src benches && echo 'fn main() {}' | tee src/main.rs >benches/simulator.rs && touch src/lib.rs \
    && cargo build --locked --profile dist --bins \
    && rm -r src benches
COPY . .
# The sources are older than what was just built of the empty ones; cargo goes by that.
RUN touch src/main.rs src/lib.rs && cargo build --locked --profile dist --bins && mkdir /data

FROM ${RUNTIME_IMAGE}
WORKDIR /app
COPY --from=build /src/target/dist/plaid-token-broker /usr/local/bin/
# A volume takes over the owner of the directory that it is mounted on.
COPY --from=build --chown=65532:65532 /data /app/data
USER 65532:65532
ENV BROKER_BIND=0.0.0.0
EXPOSE 8000
VOLUME /app/data
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["/usr/local/bin/plaid-token-broker", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/plaid-token-broker"]
