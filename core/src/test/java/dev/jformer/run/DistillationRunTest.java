package dev.jformer.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.compress.LinearExpansion;
import dev.jformer.config.Configs;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.hub.Models;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.testing.Scoped;
import dev.jformer.train.Distillation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs whose model learns from a teacher. */
@ExtendWith(Scoped.class)
class DistillationRunTest {
  private static final Map<String, Path> TEACHERS = new ConcurrentHashMap<>();
  @TempDir private static Path shared;
  private static TinyData data;
  @TempDir private Path folder;

  @BeforeAll
  static void makeData() {
    TEACHERS.clear();
    data = new TinyData(shared.resolve("data"));
  }

  private static Recipe plain(String kind) {
    return Configs.parse(data.json(kind), Recipe.class);
  }

  private static Path teacher(String kind) throws IOException {
    if (!TEACHERS.containsKey(kind)) {
      Path place = shared.resolve("teacher-" + kind);
      String layers = kind.equals("translate") ? "model.encoderLayers" : "model.layers";
      Run.train(plain(kind).with(layers, "2").withSteps(60), place, Progress.none());
      TEACHERS.put(kind, place);
    }
    return TEACHERS.get(kind);
  }

  private static Recipe taught(String kind, Path teacher) {
    return plain(kind).withObjective(new Distillation().withTeacher(teacher.toString()));
  }

  private List<Double> losses(Recipe recipe, String name) throws IOException {
    Losses losses = new Losses(-1);
    Run.begin(recipe, folder.resolve(name), false).train(losses);
    return losses.all;
  }

  @ParameterizedTest
  @ValueSource(strings = {"language", "masked", "classify", "tokens", "images", "translate"})
  void everyKindOfClassesIsTaughtAndResumesToTheBit(String kind) throws IOException {
    Path teacher = teacher(kind);
    Recipe recipe = taught(kind, teacher);
    List<Double> all = losses(recipe, "whole");
    assertEquals(12, all.size());
    assertTrue(all.get(11) < all.get(0), kind + ": " + all);

    Path parts = folder.resolve("parts");
    Losses first = new Losses(6);
    first.run = Run.begin(recipe, parts, false);
    first.run.train(first);
    Losses rest = new Losses(-1);
    Run.reopen(parts).train(rest);
    first.all.addAll(rest.all);
    assertEquals(all, first.all);

    if (!kind.equals("images")) {
      assertArrayEquals(
          Files.readAllBytes(teacher.resolve(Tokenizer.FILE)),
          Files.readAllBytes(folder.resolve("whole").resolve(Tokenizer.FILE)),
          "the student has the teacher's tokens");
    }
  }

  /** The teacher takes no random numbers away, and no share of the loss. */
  @ParameterizedTest
  @ValueSource(strings = {"language", "classify", "images", "translate"})
  void noShareIsPlainTrainingToTheBit(String kind) throws IOException {
    Path teacher = teacher(kind);
    Recipe none =
        plain(kind)
            .withObjective(new Distillation().with(d -> d.teacher(teacher.toString()).share(0)));
    assertEquals(losses(plain(kind), "plain"), losses(none, "none"));
    assertFalse(losses(taught(kind, teacher), "half").equals(losses(plain(kind), "again")));
  }

  private String refused(Recipe recipe) {
    String message =
        assertThrows(
                RuntimeException.class,
                () -> Run.train(recipe, folder.resolve("refused"), Progress.none()))
            .getMessage();
    assertFalse(Files.exists(folder.resolve("refused/model.safetensors")));
    return message;
  }

  @Test
  void anotherVocabularyIsRefused() throws IOException {
    Path teacher = teacher("language");
    Path other = folder.resolve("bytes");
    Run.train(plain("language").with("data.tokenizer", "byte"), other, Progress.none());
    String size = refused(taught("language", teacher).withFrom(other));
    assertTrue(size.contains("another vocabulary") && size.contains("tokens"), size);

    Path changed = folder.resolve("changed");
    Recipe moreText = plain("language").with("data.source", folder.resolve("text").toString());
    Files.writeString(folder.resolve("text"), "other words zebra quagga ".repeat(200));
    Run.train(moreText, changed, Progress.none());
    String token = refused(taught("language", teacher).withFrom(changed));
    assertTrue(token.contains("under id") || token.contains("tokens"), token);
  }

  @Test
  void otherClassesAreRefused() throws IOException {
    Path teacher = teacher("classify");
    Path texts = folder.resolve("other.tsv");
    Files.writeString(
        texts,
        Files.readString(shared.resolve("data/labelled.tsv"))
            .replace("\tyes", "\tja")
            .replace("\tno", "\tnein"));
    String message = refused(taught("classify", teacher).withData(texts));
    assertTrue(message.contains("has the classes no, yes, the student ja, nein"), message);
  }

  @Test
  void teachersOfAnotherKindAreRefused() throws IOException {
    String size = refused(taught("images", teacher("images")).with("model.size", "12"));
    assertTrue(size.contains("images of 8 pixels a side, the student of 12"), size);
    String family = refused(taught("images", teacher("language")));
    assertTrue(family.contains("a causal-lm, which cannot teach image-classification"), family);
    String missing = refused(taught("images", folder.resolve("none")));
    assertTrue(missing.contains("no such file or folder"), missing);
    String none = refused(plain("images").withObjective(new Distillation()));
    assertTrue(none.contains("--teacher"), none);
    String forecast = refused(taught("forecast", teacher("language")));
    assertTrue(forecast.contains("predicts none"), forecast);
    Path fixed = folder.resolve("fixed");
    Run.train(plain("language").with("model.position", "learned"), fixed, Progress.none());
    String longer = refused(taught("language", fixed).with("model.length", "30"));
    assertTrue(longer.contains("teacher cannot read") && longer.contains("length 24"), longer);
  }

  /** A learngene with a teacher: what is saved lies on a line, and is expanded. */
  @Test
  void aLearngeneIsTaughtAndResumesToTheBit() throws IOException {
    Recipe recipe =
        taught("language", teacher("language"))
            .with("model.layers", "3")
            .with("training.optimizer", "learngene");
    List<Double> all = losses(recipe, "whole");
    Path parts = folder.resolve("parts");
    Losses first = new Losses(6);
    first.run = Run.begin(recipe, parts, false);
    first.run.train(first);
    Losses rest = new Losses(-1);
    Run.reopen(parts).train(rest);
    first.all.addAll(rest.all);
    assertEquals(all, first.all);
    try (Model saved = Models.load(parts);
        Model expanded = LinearExpansion.expand(saved, 5)) {
      assertEquals(5, ((CausalLm) expanded).config().layers());
    }
  }

  private static Recipe algorithm(String problem) {
    return Recipe.named("algorithm")
        .with("data.problem", problem)
        .with("data.heldOut", "20")
        .with("model.layers", "1")
        .with("model.width", "16")
        .with("model.mixer.heads", "2")
        .with("training.batch", "4")
        .withSteps(3);
  }

  @Test
  void aTeacherOfAnotherProblemIsRefused() throws IOException {
    Path teacher = folder.resolve("teacher");
    Run.train(algorithm("{\"type\":\"arithmetic\"}"), teacher, Progress.none());
    Distillation taught = new Distillation().withTeacher(teacher.toString());
    Recipe same = algorithm("{\"type\":\"arithmetic\"}").withObjective(taught);
    assertEquals(3, losses(same, "same").size());
    String other = refused(algorithm("{\"type\":\"brackets\"}").withObjective(taught));
    assertTrue(other.contains("other symbols than the problem 'brackets'"), other);
  }
}
