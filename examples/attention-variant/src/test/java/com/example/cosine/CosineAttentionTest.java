package com.example.cosine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.check.MixerChecks;
import dev.jformer.config.ConfigException;
import dev.jformer.config.Configs;
import dev.jformer.metrics.Metrics;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Linear;
import dev.jformer.position.Position;
import dev.jformer.position.Rope;
import dev.jformer.run.Progress;
import dev.jformer.run.Recipe;
import dev.jformer.run.Run;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The promises that every variant of attention must keep, and what is particular to this one. */
class CosineAttentionTest {
  private static final int WIDTH = 16;
  private static final int LENGTH = 12;

  private Scope scope;
  private Mode mode;

  @BeforeEach
  void open() {
    scope = Scope.open(); // releases the native memory of all tensors that a test makes
    mode = Autograd.noGrad();
    Random.seed(1);
  }

  @AfterEach
  void close() {
    mode.close();
    scope.close();
  }

  /** One layer with 4 heads, of which pairs share keys and values. */
  private static TokenMixer mixer(boolean causal) {
    BlockContext context =
        new BlockContext(
            WIDTH, 0, 2, 64, causal, true, 0, new BlockContext.Init(), new Linear.Config());
    Position position = new Rope.Config().build(WIDTH, 4, WIDTH / 4, 64);
    return new CosineAttention.Config(4, 2, 0).build(context, position);
  }

  private static void assertClose(Tensor expected, Tensor actual) {
    double distance = expected.sub(actual).abs().max().item();
    assertTrue(distance < 1e-5, "differs by " + distance);
  }

  @Test
  void earlierTokensDoNotDependOnLaterOnes() {
    MixerChecks.causal(mixer(true), WIDTH);
  }

  @Test
  void decodingGivesWhatWholeSequencesGive() {
    MixerChecks.streams(mixer(true), WIDTH);
  }

  @Test
  void paddingIsNotSeen() {
    mode.close(); // gradients are looked at too
    MixerChecks.ignoresPadding(mixer(false), WIDTH);
    mode = Autograd.noGrad();
  }

  @Test
  void gradientsAreThoseOfTheOutput() {
    mode.close();
    MixerChecks.gradients(mixer(true), WIDTH);
    mode = Autograd.noGrad();
  }

  @Test
  void weightsDoNotDependOnTheSizeOfTheInput() {
    TokenMixer mixer = mixer(true);
    mixer.parameters().get("qkv.bias").copyFrom(Tensor.zeros(WIDTH * 2));
    Tensor x = Tensor.randn(2, LENGTH, WIDTH);
    Tensor weights = mixer.weights(x, null);
    assertClose(Tensor.ones(2, 4, LENGTH), weights.sum(-1, false));
    assertClose(weights, mixer.weights(x.mul(1000), null));
  }

  @Test
  void isFoundByItsType() {
    TokenMixer.Config found =
        Configs.parse("{\"type\": \"cosine\", \"scale\": 10}", TokenMixer.Config.class);
    assertEquals(new CosineAttention.Config(4, 0, 10), found);
    ConfigException wrong =
        assertThrows(
            ConfigException.class,
            () -> Configs.parse("{\"type\": \"cosine\", \"scale\": -1}", TokenMixer.Config.class));
    assertTrue(wrong.getMessage().contains("scale is -1.0"), wrong.getMessage());
  }

  @Test
  void aModelLearnsWithIt(@TempDir Path folder) throws IOException {
    mode.close(); // training needs gradients
    Path text = folder.resolve("text.txt");
    Files.writeString(text, "to be, or not to be, that is the question: ".repeat(200));
    Recipe recipe =
        Recipe.named("shakespeare")
            .withData(text)
            .withSteps(30)
            .with("model.mixer", "cosine")
            .with("model.layers", "1")
            .with("model.width", "32")
            .with("model.length", "32")
            .with("training.schedule.warmup", "3");
    Metrics metrics = Run.train(recipe, folder.resolve("run"), Progress.none());
    assertTrue(metrics.loss() < 4, "a loss of " + metrics + " instead of ln 256 = 5.5 at first");
    mode = Autograd.noGrad();
  }
}
