package dev.jformer.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConsistentReadTest {
  @TempDir Path folder;

  private record Text(String text, List<String> closed) implements AutoCloseable {
    @Override
    public void close() {
      closed.add(text);
    }
  }

  @Test
  void readsAgainWhenAFileIsReplacedMeanwhile() throws IOException {
    List<String> closed = new ArrayList<>();
    Path file = folder.resolve("a");
    Files.writeString(file, "old");
    Text read =
        ConsistentRead.of(
            folder,
            List.of("a", "b"),
            () -> {
              Text found = new Text(Files.readString(file), closed);
              if (found.text().equals("old")) {
                AtomicFile.write(file, "newer".getBytes(java.nio.charset.StandardCharsets.UTF_8));
              }
              return found;
            });
    assertEquals("newer", read.text());
    assertEquals(List.of("old"), closed);
  }

  @Test
  void passesOnWhatIsWrongWithAFolderThatNobodyWritesTo() {
    IOException e =
        assertThrows(
            IOException.class,
            () ->
                ConsistentRead.of(
                    folder,
                    List.of("a"),
                    () -> {
                      throw new IOException("no model");
                    }));
    assertEquals("no model", e.getMessage());
  }

  @Test
  void saysWhatToDoWithAReplacementThatWasCutOff() throws IOException {
    Files.createDirectory(folder.resolve(AtomicFile.PREFIX + "replaced"));
    IOException e =
        assertThrows(
            IOException.class,
            () ->
                ConsistentRead.of(
                    folder,
                    List.of("a"),
                    () -> {
                      throw new IOException("no model");
                    }));
    assertTrue(e.getMessage().startsWith("no model (files in it"), e.getMessage());
    assertTrue(e.getMessage().contains("run that command again"), e.getMessage());
  }
}
