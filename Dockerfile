# jformer in a container: docker build -t jformer . && docker run --rm -v "$PWD:/work" jformer train --data book.txt
FROM eclipse-temurin:17-jdk AS build
WORKDIR /src
COPY . .
RUN ./mvnw -B -ntp -Pdistribution -Dmaven.test.skip=true -Dspotless.check.skip=true package \
    && mv app/target/jformer-app-*-distribution/jformer-* /opt/jformer

FROM eclipse-temurin:17-jre
COPY --from=build /opt/jformer /opt/jformer
RUN useradd --create-home --uid 10001 jformer && mkdir /work && chown jformer /work
USER jformer
WORKDIR /work
ENTRYPOINT ["/opt/jformer/bin/jformer"]
