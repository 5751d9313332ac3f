package dev.jformer.app.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.jformer.app.Main;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** Commands whose output cannot be written, and errors of the virtual machine. */
@DisabledOnOs(OS.WINDOWS) // which has no such devices
class OutputTest {
  private static final String CLASSPATH = System.getProperty("java.class.path");

  private static ProcessBuilder command(List<String> options, String classpath, String... args) {
    List<String> line = new ArrayList<>();
    line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    line.addAll(List.of("-XX:TieredStopAtLevel=1", "-Djformer.threads=1"));
    line.addAll(options);
    line.addAll(List.of("-cp", classpath, Main.class.getName()));
    line.addAll(List.of(args));
    ProcessBuilder command = new ProcessBuilder(line);
    command.environment().remove("JAVA_TOOL_OPTIONS"); // about which Java prints a line
    return command;
  }

  private static String error(Process process) throws IOException {
    return new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8).strip();
  }

  private static void assertOneLine(Process process, String part) throws Exception {
    String err = error(process);
    assertTrue(process.waitFor(60, TimeUnit.SECONDS), "still running");
    assertEquals(1, process.exitValue(), err);
    assertEquals(1, err.lines().count(), err);
    assertTrue(err.startsWith("jformer: ") && err.contains(part), err);
  }

  @Test
  void aFullDiskEndsACommandWithAnError() throws Exception {
    Path full = Path.of("/dev/full");
    assumeTrue(Files.exists(full));
    for (String[] args : new String[][] {{"--help"}, {"papers", "--json"}, {"--version"}}) {
      Process process = command(List.of(), CLASSPATH, args).redirectOutput(full.toFile()).start();
      assertOneLine(process, "cannot write the output");
    }
  }

  @Test
  void aClosedPipeEndsACommandWithAnError() throws Exception {
    Process process = command(List.of(), CLASSPATH, "papers").start();
    process.getInputStream().close();
    assertOneLine(process, "cannot write the output: Broken pipe");
  }

  @Test
  void aLibraryThatCannotBeLoadedIsOneLine() throws Exception {
    String without =
        Arrays.stream(CLASSPATH.split(File.pathSeparator))
            .filter(entry -> !entry.matches(".*(pytorch|openblas|mkl)-.*-(linux|macosx).*"))
            .collect(Collectors.joining(File.pathSeparator));
    assumeTrue(!without.equals(CLASSPATH), "the class path is not a list of jars");
    Process process = command(List.of(), without, "info").start();
    assertOneLine(process, " could not be loaded ");
  }

  @Test
  void errorsOfTheVirtualMachineSayWhatToDo() {
    assertTrue(
        JavaErrors.describe(new OutOfMemoryError("Java heap space"))
            .matches("out of memory \\(Java heap space\\): Java may take .*=-Xmx4g.*"));
    Error wrapped = new ExceptionInInitializerError(new OutOfMemoryError("Metaspace"));
    assertTrue(JavaErrors.describe(wrapped).startsWith("out of memory (Metaspace)"));
    assertTrue(JavaErrors.describe(new StackOverflowError()).contains("nested too deeply"));
    assertEquals(
        "cannot load a native library: no jnitorch",
        JavaErrors.describe(
            new ExceptionInInitializerError(new UnsatisfiedLinkError("no jnitorch"))));
    assertEquals(
        "cannot load a class of the program: NoClassDefFoundError: a/B",
        JavaErrors.describe(new NoClassDefFoundError("a/B")));
    Error again =
        new ExceptionInInitializerError("Exception x.Y: no engine (a: b) [in thread \"main\"]");
    assertEquals("no engine (a: b)", JavaErrors.describe(again));
  }
}
