package dev.jformer.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The script {@code jformer}, with a Java and a Maven that only say how they were called. */
@DisabledOnOs(OS.WINDOWS)
class LauncherTest {
  private static final Path SCRIPT =
      Path.of(System.getProperty("user.dir")).resolveSibling("jformer");

  @TempDir private Path temporary;
  private Path home;

  /** What the script did. */
  private record Ended(int code, String out, String err) {}

  @BeforeEach
  void place() throws IOException {
    home = Files.createDirectories(temporary.resolve("a place")).toRealPath();
    program(home.resolve("jformer"), Files.readString(SCRIPT));
    Files.createDirectories(home.resolve("app/src/main"));
    Files.createDirectories(home.resolve("app/target"));
    for (String file : List.of("pom.xml", "app/pom.xml", "app/src/main/A.java")) {
      Files.writeString(home.resolve(file), "");
      Files.setLastModifiedTime(home.resolve(file), FileTime.from(Instant.now().minusSeconds(60)));
    }
    program(
        temporary.resolve("java/bin/java"), "#!/bin/sh\nfor a in \"$@\"; do echo \"$a\"; done\n");
    maven(
        """
        echo "[INFO] Building jformer core 0.1.0-SNAPSHOT    [2/5]"
        echo "[INFO] something else"
        echo "$PWD/app/target/classes:$PWD/core/target/classes:/elsewhere/x.jar" > app/target/classpath
        """);
  }

  private void maven(String script) throws IOException {
    program(
        temporary.resolve("bin/mvn"),
        "#!/bin/sh\necho \"$@\" >> \"" + temporary + "/called\"\n" + script);
  }

  private static void program(Path file, String text) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private Ended start(Path folder, String... args) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(folder.resolve("jformer").toString()));
    command.addAll(List.of(args));
    Path out = temporary.resolve("out");
    Path err = temporary.resolve("err");
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
    builder.environment().put("JAVA_HOME", temporary.resolve("java").toString());
    builder.environment().put("PATH", temporary.resolve("bin") + ":" + System.getenv("PATH"));
    builder.environment().put("JFORMER_CLASSPATH", "/own parts.jar");
    builder.environment().remove("JFORMER_JAVA_OPTIONS");
    Process process = builder.start();
    assertTrue(process.waitFor(60, TimeUnit.SECONDS), "the script hangs");
    return new Ended(process.exitValue(), Files.readString(out), Files.readString(err));
  }

  private List<String> builds() throws IOException {
    Path called = temporary.resolve("called");
    return Files.exists(called) ? Files.readAllLines(called) : List.of();
  }

  private static String classpath(Path folder) {
    String classes = folder + "/app/target/classes:" + folder + "/core/target/classes";
    return classes + ":/elsewhere/x.jar:/own parts.jar";
  }

  private static String after(String option, Ended ended) {
    List<String> args = ended.out().lines().toList();
    return args.get(args.indexOf(option) + 1);
  }

  @Test
  void theFirstStartBuildsWithoutTestsAndSaysSo() throws Exception {
    Ended first = start(home, "info", "two words");
    assertEquals(0, first.code(), first.err());
    assertTrue(first.err().startsWith("building jformer (first use"), first.err());
    assertTrue(first.err().contains("[2/5] core"), first.err());
    assertFalse(first.err().contains("something else"), first.err());
    assertEquals(1, builds().size());
    assertTrue(builds().get(0).contains("-Dmaven.test.skip=true"), builds().get(0));
    assertTrue(builds().get(0).contains("-Dspotless.check.skip=true"), builds().get(0));
    assertEquals(classpath(home), after("-cp", first));
    assertTrue(first.out().endsWith("dev.jformer.app.Main\ninfo\ntwo words\n"), first.out());

    Ended second = start(home, "info");
    assertEquals("", second.err());
    assertEquals(1, builds().size(), "built again");
  }

  @Test
  void aChangedSourceIsBuilt() throws Exception {
    start(home, "info");
    FileTime later = FileTime.from(Instant.now().plusSeconds(5));
    Files.setLastModifiedTime(home.resolve("app/src/main/A.java"), later);
    start(home, "info");
    assertEquals(2, builds().size());
  }

  @Test
  void aMovedFolderStartsWithoutABuild() throws Exception {
    start(home, "info");
    Path moved = Files.move(home, home.resolveSibling("moved"));
    Ended ended = start(moved, "info");
    assertEquals("", ended.err());
    assertEquals(classpath(moved), after("-cp", ended));
    assertTrue(ended.out().contains("-Djformer.home=" + moved + "\n"), ended.out());
  }

  @Test
  void aFailedBuildIsReported() throws Exception {
    maven("echo '[ERROR] no such artifact'\nexit 1\n");
    Ended ended = start(home, "info");
    assertEquals(1, ended.code());
    assertEquals("", ended.out());
    assertTrue(ended.err().contains("[ERROR] no such artifact"), ended.err());
    assertTrue(ended.err().contains(home + "/target/build.log"), ended.err());
    byte[] log = Files.readAllBytes(home.resolve("target/build.log"));
    assertTrue(new String(log, StandardCharsets.UTF_8).contains("no such artifact"));
  }
}
