package dev.jformer.run;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.adapt.Adapters;
import dev.jformer.compress.quantize.WeightInt8;
import dev.jformer.config.Configs;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.decode.Generator;
import dev.jformer.decode.Sampling;
import dev.jformer.hub.Models;
import dev.jformer.hub.PeftFolder;
import dev.jformer.io.SafetensorsFile;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs that train an adapter beside a frozen model. */
@ExtendWith(Scoped.class)
class AdapterRunTest {
  @TempDir private static Path shared;
  private static TinyData data;
  private static Path base;
  @TempDir private Path folder;

  @BeforeAll
  static void trainBase() throws IOException {
    data = new TinyData(shared.resolve("data"));
    base = shared.resolve("base");
    Run.train(
        Configs.parse(data.json("language"), Recipe.class).withSteps(60), base, Progress.none());
  }

  private static Recipe recipe(String adapter) {
    return Configs.parse(data.json("language", base), Recipe.class)
        .with("adapter", adapter)
        .with("adapter.rank", "3");
  }

  private static Tensor logits(Model model) {
    try (Mode mode = Autograd.noGrad()) {
      return ((CausalLm) model).logits(Tensor.arange(0, 20).unsqueeze(0));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"lora", "rslora", "dora", "pissa", "eva", "affiner"})
  void theFolderHoldsTheAdapterAndResumesToTheBit(String kind) throws IOException {
    Path whole = folder.resolve("whole");
    Losses all = new Losses(-1);
    Run.begin(recipe(kind), whole, false).train(all);
    assertEquals(12, all.all.size());
    double before = all.all.get(0);
    double after = all.all.get(11);
    assertTrue(after < before, kind + " from " + before + " to " + after);
    assertTrue(PeftFolder.exists(whole));
    assertFalse(Files.exists(whole.resolve("model.safetensors")));
    assertTrue(Files.exists(whole.resolve(Tokenizer.FILE)));

    Path parts = folder.resolve("parts");
    Losses first = new Losses(6);
    first.run = Run.begin(recipe(kind), parts, false);
    first.run.train(first);
    Losses rest = new Losses(-1);
    Run.reopen(parts).train(rest);
    first.all.addAll(rest.all);
    assertEquals(all.all, first.all);
    try (Model one = Models.load(whole);
        Model two = Models.load(parts);
        Model bare = Models.load(base)) {
      assertClose(logits(one), logits(two), 0);
      assertFalse(logits(bare).sameAs(logits(one)));
    }
    try (Stream<Path> steps = Files.list(whole.resolve("checkpoints"))) {
      Path step = steps.filter(Files::isDirectory).findFirst().orElseThrow();
      try (SafetensorsFile file = SafetensorsFile.open(step.resolve("model.safetensors"))) {
        assertTrue(
            file.names().stream().allMatch(name -> name.contains(".adapters.")), "" + file.names());
      }
    }
  }

  @Test
  void anAdapterOfAnAdaptedModelIsTrainedBesideBoth() throws IOException {
    Path first = folder.resolve("first");
    Run.train(recipe("lora"), first, Progress.none());
    Path second = folder.resolve("second");
    Run.train(recipe("lora").withFrom(first), second, Progress.none());
    try (LanguageModel model = LanguageModel.load(second)) {
      Generator.Request five = new Generator.Request(5, Sampling.GREEDY);
      assertFalse(model.generate("red ", five).text().isEmpty());
    }
  }

  /** The layer that the trained model lacks is trained whole, and saved with the adapter. */
  @Test
  void aNewClassifierIsTrainedBesideTheAdapter() throws IOException {
    Path encoder = folder.resolve("encoder");
    Run.train(Configs.parse(data.json("masked"), Recipe.class), encoder, Progress.none());
    Path out = folder.resolve("classifier");
    Recipe recipe =
        Configs.parse(data.json("classify", encoder), Recipe.class)
            .with("adapter", "lora")
            .with("training.steps", "60");
    Run.train(recipe, out, Progress.none());
    try (TrainedModel model = TrainedModel.load(out);
        Scope scope = Scope.open()) {
      List<Classification> found =
          model.classify(List.of("red cat is good old dog", "red cat is bad old dog"), List.of());
      assertEquals(2, found.size());
    }
    try (SafetensorsFile file = SafetensorsFile.open(out.resolve("adapter_model.safetensors"))) {
      assertTrue(file.names().stream().anyMatch(name -> !name.contains("lora")), "" + file.names());
    }
  }

  @Test
  void trainsBesideABaseOfFewBits() throws IOException {
    Path few = Files.createDirectory(folder.resolve("few"));
    try (Model model = Models.load(base);
        Model small = new WeightInt8().apply(model, null)) {
      DerivedModelFolder.write(small, base, few);
    }
    Path out = folder.resolve("adapter");
    Losses losses = new Losses(-1);
    Run.begin(recipe("lora").withFrom(few), out, false).train(losses);
    assertTrue(losses.all.get(11) < losses.all.get(0), "" + losses.all);
    try (Model model = Models.load(out)) {
      assertFalse(Adapters.layers(model).isEmpty());
    }
    var refused =
        assertThrows(
            RuntimeException.class,
            () ->
                Run.train(
                    recipe("lora").with("adapter", "none").withFrom(few),
                    folder.resolve("x"),
                    Progress.none()));
    assertTrue(refused.getMessage().contains("cannot be trained"), refused.getMessage());
  }

  @Test
  void errorsSayWhatIsWrong() {
    Recipe alone = recipe("lora").withFrom("");
    for (var wrong :
        java.util.Map.of(
                alone,
                "give that with --from",
                recipe("lora").with("adapter.rank", "17"),
                "has rank 16 at most",
                recipe("lora").with("adapter.targets", "[\"q_proj\"]"),
                "'q_proj'",
                recipe("eva").with("adapter.rank", "16").with("training.batch", "1"),
                "EVA looks")
            .entrySet()) {
      Path out = folder.resolve("out");
      String message =
          assertThrows(
                  RuntimeException.class, () -> Run.train(wrong.getKey(), out, Progress.none()))
              .getMessage();
      assertTrue(message.contains(wrong.getValue()), message);
      assertFalse(Files.exists(out.resolve("recipe.json")), "nothing is left");
    }
  }
}
