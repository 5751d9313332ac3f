package dev.jformer.studies.evidence;

import dev.jformer.tensor.Device;
import dev.jformer.tensor.Engine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The machine that results were measured on.
 *
 * @param processor name of the processor, and the device where that is what computes
 * @param threads number of threads that libtorch uses
 * @param system operating system and architecture
 * @param java version of the virtual machine
 */
public record Machine(String processor, int threads, String system, String java) {
  /** Returns a description of this machine. */
  public static Machine here() {
    return new Machine(
        Device.current().equals(Device.CPU)
            ? processorName()
            : processorName() + " with " + Device.current(),
        Engine.threads(),
        System.getProperty("os.name") + " " + System.getProperty("os.arch"),
        System.getProperty("java.version"));
  }

  private static String processorName() {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/cpuinfo"))) {
        if (line.startsWith("model name")) {
          return line.substring(line.indexOf(':') + 1).strip();
        }
      }
    } catch (IOException e) {
      return System.getProperty("os.arch");
    }
    return System.getProperty("os.arch");
  }
}
