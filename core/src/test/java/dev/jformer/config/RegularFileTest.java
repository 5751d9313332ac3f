package dev.jformer.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class RegularFileTest {
  @TempDir Path folder;

  private static String error(Path file) {
    return assertThrows(IOException.class, () -> RegularFile.text(file)).getMessage();
  }

  @Test
  void readsFilesAndSaysWhatIsNone() throws IOException {
    assertEquals("ä", RegularFile.text(Files.writeString(folder.resolve("a"), "ä")));
    assertThrows(NoSuchFileException.class, () -> RegularFile.text(folder.resolve("b")));
    assertTrue(error(folder).contains("is a folder"), error(folder));
    Path large = folder.resolve("large");
    try (RandomAccessFile sparse = new RandomAccessFile(large.toFile(), "rw")) {
      sparse.setLength(1L << 32);
    }
    assertTrue(error(large).contains("4294967296 bytes: expected at most"), error(large));
  }

  /** Reading these would never end. */
  @Test
  @DisabledOnOs(OS.WINDOWS)
  void devicesAndPipesAreRefused() throws IOException, InterruptedException {
    Path pipe = folder.resolve("pipe");
    assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor());
    for (Path file : new Path[] {pipe, Path.of("/dev/zero")}) {
      assertTrue(error(file).contains("is not a regular file"), error(file));
      String config =
          assertThrows(ConfigException.class, () -> Configs.read(file, Object.class)).getMessage();
      assertTrue(config.contains(file.toString()), config);
    }
  }
}
