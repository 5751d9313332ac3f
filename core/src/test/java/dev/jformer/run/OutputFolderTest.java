package dev.jformer.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.io.FolderLock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OutputFolderTest {
  private static final Map<String, String> OLD =
      Map.of(
          "config.json", "old",
          "model.safetensors", "old",
          "tokenizer.json", "old",
          "recipe.json", "old",
          "metrics.jsonl", "old",
          "data/tokens.bin", "old",
          "data/tokens.json", "old",
          "checkpoints/course.json", "old",
          "checkpoints/step-00000004/model.safetensors", "old");

  private static final Map<String, String> USERS =
      Map.of("notes.txt", "mine", "data/book.txt", "mine", "checkpoints/mine/a.txt", "mine");

  private static final Map<String, String> NEW =
      Map.of("config.json", "new", "model.safetensors", "new", "classes.json", "new");

  @TempDir Path parent;
  private Path folder;

  @BeforeEach
  void name() {
    folder = parent.resolve("out");
  }

  private static void write(Path place, Map<String, String> files) throws IOException {
    for (Map.Entry<String, String> file : files.entrySet()) {
      Path path = place.resolve(file.getKey());
      Files.createDirectories(path.getParent());
      Files.writeString(path, file.getValue());
    }
  }

  private static Map<String, String> read(Path place) throws IOException {
    Map<String, String> found = new TreeMap<>();
    try (Stream<Path> tree = Files.walk(place)) {
      for (Path file : tree.filter(Files::isRegularFile).toList()) {
        if (!file.endsWith(".jformer.lock")) {
          found.put(place.relativize(file).toString().replace('\\', '/'), Files.readString(file));
        }
      }
    }
    return found;
  }

  /** As Ctrl-C and SIGTERM do to a command that stops at once. */
  @Test
  void processesThatAreAskedToEndLeaveNothingAside() throws IOException {
    OutputFolder fresh = OutputFolder.open(folder, false, List.of()).deletedAtEnd();
    write(fresh.staging(), NEW);
    fresh.abandon();
    assertFalse(Files.exists(folder), "it was created for this");
    assertThrows(IOException.class, fresh::staging);
    fresh.close();

    write(folder, OLD);
    OutputFolder again = OutputFolder.open(folder, true, List.of()).deletedAtEnd();
    write(again.staging(), NEW);
    again.abandon();
    assertEquals(new TreeMap<>(OLD), read(folder));
    assertThrows(IOException.class, again::publish);
    again.close();
    assertEquals(new TreeMap<>(OLD), read(folder));

    try (OutputFolder last = OutputFolder.open(folder, true, List.of()).deletedAtEnd()) {
      write(last.staging(), NEW);
      last.publish();
      last.abandon();
    }
    assertEquals(new TreeMap<>(NEW), read(folder));
  }

  private static Map<String, String> both(Map<String, String> one, Map<String, String> other) {
    Map<String, String> all = new TreeMap<>(one);
    all.putAll(other);
    return all;
  }

  private OutputFolder open(boolean overwrite) throws IOException {
    return OutputFolder.open(folder, overwrite, List.of());
  }

  private String refusal() {
    return assertThrows(RunException.class, () -> open(false)).getMessage();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "recipe.json",
        "config.json",
        "model.safetensors",
        "model-00001-of-00002.safetensors",
        "model.safetensors.index.json",
        "pytorch_model.bin",
        "pytorch_model-00001-of-00002.bin",
        "model.onnx",
        "tokenizer.json",
        "tokenizer_config.json",
        "vocab.txt",
        "added_tokens.json",
        "generation_config.json",
        "modules.json",
        "classes.json",
        "series.json",
        "metrics.jsonl",
        "data/tokens.bin",
        "checkpoints/step-00000250/progress.json"
      })
  void foldersWithAnythingOfAModelAreRefused(String file) throws IOException {
    write(folder, Map.of(file, "old"));
    String message = refusal();
    assertTrue(message.startsWith(folder + " holds "), message);
    assertTrue(message.contains(" already: "), message);
    assertTrue(message.contains("--overwrite"), message);
    assertEquals(Map.of(file, "old"), read(folder));
  }

  @Test
  void theRefusalSaysWhatThereIs() throws IOException {
    write(folder, Map.of("tokenizer.json", "old"));
    assertEquals(
        folder
            + " holds tokenizer.json already: replace it with --overwrite, or choose another folder"
            + " with --out",
        refusal());
    write(folder, Map.of("model.safetensors", "old"));
    assertTrue(refusal().startsWith(folder + " holds a model already: replace it"), refusal());
    write(folder, OLD);
    assertTrue(
        refusal().startsWith(folder + " holds a run already: continue with --resume " + folder));
    Path file = Files.writeString(parent.resolve("file"), "mine");
    String message =
        assertThrows(RunException.class, () -> OutputFolder.open(file, true, List.of()))
            .getMessage();
    assertTrue(message.contains("is a file"), message);
  }

  @Test
  void foldersOfTheUserAreAddedTo() throws IOException {
    write(folder, USERS);
    try (OutputFolder out = open(false)) {
      write(out.staging(), NEW);
      assertFalse(Files.exists(folder.resolve("config.json")), "not before all is written");
      out.publish();
    }
    assertEquals(both(USERS, NEW), read(folder));
  }

  @Test
  void whatIsReplacedGoesAndTheUsersFilesStay() throws IOException {
    write(folder, both(OLD, USERS));
    try (OutputFolder out = open(true)) {
      write(out.staging(), NEW);
      out.publish();
    }
    assertEquals(both(USERS, NEW), read(folder));
    write(folder, both(OLD, NEW));
    Files.delete(folder.resolve("data/book.txt"));
    try (OutputFolder out = open(true)) {
      write(out.staging(), NEW);
      out.publish();
    }
    assertFalse(Files.exists(folder.resolve("data")), "no empty folder is left");
  }

  @Test
  void failuresLeaveEverythingAsItWas() throws IOException {
    Path deep = folder.resolve("a/b");
    try (OutputFolder out = OutputFolder.open(deep, false, List.of())) {
      write(out.staging(), NEW);
    }
    assertFalse(Files.exists(folder), "folders that were made go");
    write(folder, both(OLD, USERS));
    try (OutputFolder out = open(true)) {
      write(out.staging(), NEW);
    }
    assertEquals(both(OLD, USERS), read(folder));
  }

  @Test
  void inputsAreNotReplaced() throws IOException {
    write(folder, both(OLD, USERS));
    for (String input : List.of("", "data/tokens.bin", "checkpoints/step-00000004")) {
      String message =
          assertThrows(
                  RunException.class,
                  () -> OutputFolder.open(folder, true, List.of(folder.resolve(input))))
              .getMessage();
      assertTrue(message.contains("would be replaced, but is needed"), message);
    }
    OutputFolder.open(folder, true, List.of(folder.resolve("data/book.txt"))).close();
    assertEquals(both(OLD, USERS), read(folder));
  }

  @Test
  void aSecondWriterIsRefused() throws IOException {
    try (OutputFolder out = open(false)) {
      String message = assertThrows(IOException.class, () -> open(false)).getMessage();
      assertTrue(message.startsWith(folder + " is in use by this process"), message);
      write(out.staging(), NEW);
      out.publish();
    }
    assertEquals(NEW, read(folder));
  }

  /** A run's first files replace others, which come back if it fails before it has a model. */
  @Test
  void whatARunReplacesIsKeptUntilItHasAModel() throws IOException {
    write(folder, both(OLD, USERS));
    try (OutputFolder out = open(true)) {
      write(out.staging(), Map.of("recipe.json", "new"));
      out.begin();
      assertEquals("new", Files.readString(folder.resolve("recipe.json")));
      assertFalse(Files.exists(folder.resolve("model.safetensors")));
      write(folder, Map.of("data/tokens.bin", "new"));
      assertTrue(out.hasReplaced());
      out.restore();
    }
    assertEquals(both(OLD, USERS), read(folder));
    try (OutputFolder out = open(true)) {
      write(out.staging(), Map.of("recipe.json", "new"));
      out.begin();
      write(folder, Map.of("model.safetensors", "new"));
      out.settle();
    }
    assertEquals(
        both(USERS, Map.of("recipe.json", "new", "model.safetensors", "new")), read(folder));
  }

  @Test
  void aRunThatWasKilledBeforeItHadAModelStaysAsideToo() throws IOException {
    write(folder, OLD);
    try (OutputFolder out = open(true)) {
      write(out.staging(), Map.of("recipe.json", "new"));
      out.begin();
      write(folder, Map.of("checkpoints/step-00000002/progress.json", "new"));
    } // killed
    assertTrue(refusal().contains("holds a run already: continue with --resume"), refusal());
    OutputFolder.recover(folder);
    assertEquals("new", Files.readString(folder.resolve("recipe.json")));
    try (OutputFolder out = open(true)) {
      assertEquals(OLD, read(folder), "what has a model is what the next one replaces");
      write(out.staging(), NEW);
    }
    assertEquals(OLD, read(folder));
  }

  /** A replacement that is broken off after each of its renames, and then recovered from. */
  @Test
  void killedReplacementsAreFinishedOrTakenBack() throws IOException {
    List<String> order =
        List.of("model.safetensors", "config.json", "data/tokens.bin", "recipe.json");
    for (int moved = 0; moved <= order.size(); moved++) {
      Path place = parent.resolve("back-" + moved);
      write(place, both(OLD, USERS));
      write(place.resolve(".jformer-new"), NEW);
      write(place, Map.of(".jformer-0.tmp", "", "data/.jformer-1.tmp", ""));
      for (String file : order.subList(0, moved)) {
        Path aside = place.resolve(".jformer-replaced").resolve(file);
        Files.createDirectories(aside.getParent());
        Files.move(place.resolve(file), aside);
      }
      OutputFolder.recover(place);
      assertEquals(both(OLD, USERS), read(place), moved + " moved aside");
    }
    for (boolean moved : List.of(false, true)) {
      Path place = parent.resolve("on-" + moved);
      write(place, USERS);
      write(place.resolve(".jformer-replaced"), OLD);
      write(place.resolve(".jformer-publishing"), NEW);
      if (moved) {
        Files.move(place.resolve(".jformer-publishing/config.json"), place.resolve("config.json"));
      }
      OutputFolder.recover(place);
      assertEquals(both(USERS, NEW), read(place));
    }
    write(folder, USERS);
    write(folder.resolve(".jformer-replaced"), OLD);
    write(folder.resolve(".jformer-beginning"), Map.of("recipe.json", "new"));
    OutputFolder.recover(folder);
    assertEquals("new", Files.readString(folder.resolve("recipe.json")));
    assertEquals("old", Files.readString(folder.resolve(".jformer-replaced/recipe.json")));
  }

  @Test
  void readersFinishOnlyWhatWasCutOff() throws IOException {
    write(folder, USERS);
    write(folder.resolve(".jformer-replaced"), OLD);
    write(folder.resolve(".jformer-publishing"), NEW);
    try (FolderLock lock = FolderLock.acquire(folder)) {
      OutputFolder.repair(folder);
      assertTrue(Files.exists(folder.resolve(".jformer-publishing")), "it is being written to");
    }
    OutputFolder.repair(folder);
    assertEquals(both(USERS, NEW), read(folder));

    Path run = parent.resolve("run");
    write(run, Map.of("recipe.json", "new"));
    write(run.resolve(".jformer-replaced"), OLD);
    Map<String, String> before = read(run);
    OutputFolder.repair(run);
    assertEquals(before, read(run), "a run without a model may be continued");
  }
}
