plugins {
    application
}

java {
    toolchain { languageVersion = JavaLanguageVersion.of(17) }
}

repositories {
    mavenLocal() // where `mvn install` puts jformer
    mavenCentral()
}

// Gradle does not read the profiles by which Maven chooses native libraries, so they are named here:
// linux-x86_64, macosx-arm64, macosx-x86_64 or windows-x86_64.
val platform = "linux-x86_64"

dependencies {
    implementation("dev.jformer:jformer-core:0.1.0-SNAPSHOT")
    runtimeOnly("org.bytedeco:javacpp:1.5.13:$platform")
    runtimeOnly("org.bytedeco:openblas:0.3.31-1.5.13:$platform")
    runtimeOnly("org.bytedeco:pytorch:2.10.0-1.5.13:$platform")
    // Intel's MKL, for speed: leave out on macOS.
    runtimeOnly("org.bytedeco:mkl:2025.3-1.5.13")
    runtimeOnly("org.bytedeco:mkl:2025.3-1.5.13:$platform")
    runtimeOnly("org.bytedeco:mkl:2025.3-1.5.13:$platform-redist")
}

application {
    mainClass = "com.example.quickstart.Quickstart"
}
