# Two stages: the first builds with the project's own set-up script, the second holds the binary and
# the shared libraries that it links.
FROM debian:12-slim AS build
WORKDIR /src
COPY . .
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends make && make build

FROM debian:12-slim
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends \
      libcivetweb1 libhiredis0.14 libmsgpackc2 libmaxminddb0 libsqlite3-0 libjansson4 libsodium23 \
      libpcre2-8-0 libxxhash0 libzstd1 libpsl5 libutf8proc2 libxlsxwriter4 tzdata curl \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --home /var/lib/corong corong \
    && install -d -o corong -g corong -m 0700 /var/lib/corong
COPY --from=build /src/build/corong /usr/local/bin/corong
USER corong
VOLUME /var/lib/corong
ENV CORONG_DATA=/var/lib/corong
ENTRYPOINT ["/usr/local/bin/corong"]
CMD ["help"]
