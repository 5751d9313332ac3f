package dev.jformer.run;

import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.hub.Models;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.model.RecurrenceConfig;
import dev.jformer.model.RecurrentLm;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Runs of models that carry a state, begun with trained language models. */
@ExtendWith(Scoped.class)
class RecurrentRunTest {
  @TempDir private static Path shared;
  private static TinyData data;
  private static Path plain;
  @TempDir private Path folder;

  @BeforeAll
  static void trainAPlainModel() throws IOException {
    data = new TinyData(shared.resolve("data"));
    plain = shared.resolve("plain");
    Run.train(language(), plain, Progress.none());
  }

  private static Recipe language() {
    return Configs.parse(data.json("language"), Recipe.class);
  }

  private static Recipe recurrent(RecurrenceConfig recurrence) {
    RecurrentLm.Config model = new RecurrentLm.Config().withRecurrence(recurrence);
    return language().withModel(model).withFrom(plain);
  }

  private static RecurrenceConfig small() {
    return new RecurrenceConfig().with(r -> r.window(8).windows(3).slots(2));
  }

  @Test
  void trainsBesideATrainedModelIsSavedAndMeasured() throws IOException {
    Path place = folder.resolve("run");
    Run.train(recurrent(small()), place, Progress.none());
    try (TrainedModel trained = TrainedModel.load(place);
        Model before = Models.load(plain)) {
      RecurrentLm model = (RecurrentLm) trained.model();
      assertEquals(((CausalLm) before).config(), model.config().lm());
      assertEquals(small(), model.config().recurrence());
      Metrics metrics =
          trained.evaluate(EvaluationRequest.heldOut().withBatch(2), Progress.none()).metrics();
      assertTrue(metrics.loss() < Math.log(280), metrics.toString());
      assertTrue(metrics.get("lossWithoutState") != metrics.loss(), metrics.toString());
      EvaluationRequest overlapping = EvaluationRequest.heldOut().withWindow(8, 4);
      assertTrue(
          assertThrows(RunException.class, () -> trained.evaluate(overlapping, Progress.none()))
              .getMessage()
              .contains("leave out --stride"));
    }
  }

  @Test
  void aFrozenModelKeepsItsWeights() throws IOException {
    Path place = folder.resolve("run");
    Run.train(recurrent(small().withFrozen(true)), place, Progress.none());
    try (Model trained = Models.load(place);
        Model before = Models.load(plain)) {
      before
          .parameters()
          .forEach(
              (name, parameter) ->
                  assertSame(parameter.value(), trained.parameters().get(name).value(), name));
    }
  }

  @Test
  void resumesToTheBit() throws IOException {
    for (boolean frozen : new boolean[] {false, true}) {
      Recipe recipe = recurrent(small().with(r -> r.windows(4).horizon(2).frozen(frozen)));
      Losses whole = new Losses(-1);
      Run.begin(recipe, folder.resolve("whole" + frozen), false).train(whole);
      Losses first = new Losses(6);
      first.run = Run.begin(recipe, folder.resolve("parts" + frozen), false);
      first.run.train(first);
      Losses second = new Losses(-1);
      Run.reopen(folder.resolve("parts" + frozen)).train(second);
      first.all.addAll(second.all);
      assertEquals(whole.all, first.all);
    }
  }

  @Test
  void aTrainingGoesOnFromARecurrentModel() throws IOException {
    Path first = folder.resolve("first");
    Run.train(recurrent(small()), first, Progress.none());
    Path second = folder.resolve("second");
    Run.train(recurrent(new RecurrenceConfig()).withFrom(first), second, Progress.none());
    try (Model model = Models.load(second)) {
      assertEquals(small(), ((RecurrentLm) model).config().recurrence());
    }
  }

  @Test
  void refusesOtherFamiliesAndAdapters() throws IOException {
    Path encoder = folder.resolve("encoder");
    Run.train(Configs.parse(data.json("masked"), Recipe.class), encoder, Progress.none());
    refused(recurrent(small()).withFrom(encoder), "cannot be trained on text");
    refused(recurrent(small()).with("adapter", "lora"), "an adapter stands beside");
    refused(
        recurrent(small().withLayer(0).withWindow(0)).with("model.recurrence.layer", "2"),
        "recurrence.layer is 2");
  }

  private void refused(Recipe recipe, String reason) {
    RuntimeException refusal =
        assertThrows(
            RuntimeException.class,
            () -> Run.train(recipe, folder.resolve("refused"), Progress.none()));
    assertTrue(refusal.getMessage().contains(reason), refusal.getMessage());
  }
}
