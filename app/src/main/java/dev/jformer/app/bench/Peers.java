package dev.jformer.app.bench;

import dev.jformer.tensor.Engine;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Starts the programs that are measured beside this one.
 *
 * @param interpreter of Python; null to leave its programs out
 */
record Peers(String interpreter) {
  /**
   * Starts a script of {@code tools/peers} with as many threads as this program has.
   *
   * @return null if there is no Python
   */
  PeerProcess python(String name, String script, String... options) {
    if (interpreter == null) {
      return null;
    }
    List<String> command = new ArrayList<>(List.of(interpreter, script(script)));
    command.addAll(List.of("--repeats", "100000", "--threads", String.valueOf(Engine.threads())));
    command.addAll(List.of(options));
    return new PeerProcess(name, "milliseconds", command, Map.of());
  }

  /** Whether Python has a module. */
  boolean has(String module) {
    if (interpreter == null) {
      return false;
    }
    try {
      Process process =
          new ProcessBuilder(interpreter, "-c", "import " + module)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      return process.waitFor() == 0;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot start " + interpreter, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private static String script(String name) {
    Path path = home().resolve("tools").resolve("peers").resolve(name);
    if (!Files.exists(path)) {
      throw new IllegalArgumentException("no script at " + path + ": run from a checkout");
    }
    return path.toString();
  }

  /** The folder of the checkout. */
  static Path home() {
    return Path.of(System.getProperty("jformer.home", "."));
  }

  /** Starts this program again with another number of threads; see {@link Worker}. */
  PeerProcess worker(String name, int threads, String... work) {
    return worker(name, List.of("-Djformer.threads=" + threads), Map.of(), work);
  }

  /** Starts this program again with other settings; see {@link Worker}. */
  PeerProcess worker(
      String name, List<String> options, Map<String, String> environment, String... work) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:+UseSerialGC", "-cp", System.getProperty("java.class.path")));
    command.addAll(options);
    command.add(Worker.class.getName());
    command.addAll(List.of(work));
    return new PeerProcess(name, "milliseconds", command, environment);
  }
}
