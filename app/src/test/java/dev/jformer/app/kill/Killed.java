package dev.jformer.app.kill;

import dev.jformer.app.Main;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A command in a process of its own, which can be killed. */
final class Killed {
  private static final long LONGEST_MINUTES = 5;

  /** More options of Java for the commands, such as an archive of classes, separated by commas. */
  private static final List<String> OPTIONS =
      Stream.of(System.getProperty("kill.options", "").split(","))
          .filter(option -> !option.isEmpty())
          .toList();

  private final Process process;
  private final Path lock;
  private final Path log;

  private Killed(Process process, Path lock, Path log) {
    this.process = process;
    this.lock = lock;
    this.log = log;
  }

  /**
   * Starts a command.
   *
   * @param folder where it works
   * @param output the folder that it locks, relative to that
   * @param temporary its temporary files
   */
  static Killed start(Path folder, String output, Path temporary, List<String> command)
      throws IOException {
    List<String> line = new ArrayList<>();
    line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    line.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Djformer.threads=1"));
    line.addAll(List.of("-Djava.io.tmpdir=" + temporary, "-XX:ErrorFile=" + temporary + "/crash"));
    line.addAll(OPTIONS);
    line.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
    line.addAll(command);
    Path log = folder.resolveSibling(folder.getFileName() + ".log");
    ProcessBuilder builder = new ProcessBuilder(line).directory(folder.toFile());
    builder.environment().remove("JAVA_TOOL_OPTIONS");
    Process process = builder.redirectErrorStream(true).redirectOutput(log.toFile()).start();
    return new Killed(process, folder.resolve(output).resolve(".jformer.lock"), log);
  }

  /** Waits until the process holds the lock of its folder; false if it ends before. */
  boolean awaitLock() throws IOException, InterruptedException {
    String mine = "process " + process.pid() + ",";
    while (process.isAlive()) {
      try {
        if (Files.readString(lock).startsWith(mine)) {
          return true;
        }
      } catch (IOException e) {
        // There is none yet.
      }
      Thread.sleep(2);
    }
    return false;
  }

  /** Kills the process; false if it had ended by itself. */
  boolean kill() throws InterruptedException {
    process.destroyForcibly();
    process.waitFor();
    return process.exitValue() == 128 + 9;
  }

  /** Asks the process to end, and kills it a little later; false if it had ended by itself. */
  boolean terminate(long millis) throws InterruptedException {
    process.destroy();
    if (!process.waitFor(millis, TimeUnit.MILLISECONDS)) {
      process.destroyForcibly();
      process.waitFor();
    }
    return process.exitValue() >= 128;
  }

  /** Waits for the end; its exit code. */
  int end() throws InterruptedException {
    if (!process.waitFor(LONGEST_MINUTES, TimeUnit.MINUTES)) {
      process.destroyForcibly();
      throw new AssertionError("the command hangs: " + process.info());
    }
    return process.exitValue();
  }

  /** What the process printed. */
  String output() throws IOException {
    return Files.readString(log);
  }
}
