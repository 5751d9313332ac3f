package dev.jformer.run;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.data.text.Corpus;
import dev.jformer.data.text.TokenFile;
import dev.jformer.data.tokenizer.ByteTokenizer;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Module;
import dev.jformer.position.NoPosition;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Device;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.tensor.TensorException;
import dev.jformer.testing.Scoped;
import dev.jformer.train.LanguageModelling;
import dev.jformer.train.Listener;
import dev.jformer.train.Trainer;
import dev.jformer.train.TrainingConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is computed on a GPU of NVIDIA, where there is one and the build is one with -Pgpu. */
@ExtendWith(Scoped.class)
@EnabledIf("isPresent")
class GpuTest {
  private static final Device GPU = new Device(Device.Type.CUDA, 0);
  private static final int WIDTH = 16;
  private static final int LENGTH = 100;

  @TempDir private Path folder;

  static boolean isPresent() {
    return GPU.isPresent();
  }

  @AfterEach
  void back() {
    Device.use(Device.CPU);
  }

  record Case(TokenMixer.Config config, boolean causal) {}

  /** All mixers that do not draw: devices draw differently. */
  static List<Case> mixers() {
    List<Case> cases = new ArrayList<>();
    for (TokenMixer.Config config : Configs.parts(TokenMixer.Config.class).values()) {
      for (boolean causal : new boolean[] {true, false}) {
        boolean draws = List.of("random", "reformer", "prob-sparse").contains(config.type());
        if (!draws && isBuilt(config, causal)) {
          cases.add(new Case(config, causal));
        }
      }
    }
    return cases;
  }

  /** Whether a mixer looks in this direction. */
  private static boolean isBuilt(TokenMixer.Config config, boolean causal) {
    try (TokenMixer mixer = build(config, causal)) {
      return true;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  /** Results and gradients. */
  @ParameterizedTest
  @MethodSource("mixers")
  void mixersComputeWhatTheyComputeOnTheCpu(Case each) {
    try (TokenMixer expected = build(each.config(), each.causal())) {
      Tensor x = Tensor.randn(2, LENGTH, WIDTH).requiresGrad(true);
      Tensor y = expected.forward(x, null);
      y.mul(y).sum().backward();
      Device.use(GPU);
      try (TokenMixer actual = build(each.config(), each.causal())) {
        copy(expected, actual);
        Tensor moved = x.detach().toCurrentDevice().requiresGrad(true);
        Tensor z = actual.forward(moved, null);
        assertEquals(GPU, z.device());
        assertClose(y.detach(), z.detach(), 1e-4);
        z.mul(z).sum().backward();
        assertClose(x.grad(), moved.grad(), 1e-3);
      }
    }
  }

  private static TokenMixer build(TokenMixer.Config config, boolean causal) {
    BlockContext context =
        new BlockContext(
            WIDTH, 0, 2, LENGTH, causal, true, 0, new BlockContext.Init(), new Linear.Config());
    int heads = config.heads();
    TokenMixer mixer =
        config.build(context, new NoPosition.Config().build(WIDTH, heads, WIDTH / heads, LENGTH));
    mixer.train(false);
    return mixer;
  }

  private static void copy(Module from, Module to) {
    to.parameters().forEach((name, each) -> each.copyFrom(from.parameters().get(name).value()));
  }

  private static CausalLm model(String projection) {
    Random.seed(7);
    String json =
        "{'model':'causal-lm','layers':2,'width':32,'length':32,'dropout':0.1,'mixer':{'heads':2},"
            + "'projection':{'type':'"
            + projection
            + "'}}";
    return (CausalLm) Configs.parse(json.replace('\'', '"'), Model.Config.class).build();
  }

  @Test
  void trainingLearnsAndResumes() throws IOException {
    Device.use(GPU);
    Path text =
        Files.writeString(folder.resolve("text.txt"), "It was the best of times. ".repeat(100));
    try (TokenFile tokens =
        TokenFile.prepare(
            folder.resolve("data"),
            Corpus.open(text, List.of()),
            new ByteTokenizer(),
            0.1,
            bytes -> {})) {
      List<Double> whole = losses(tokens, 60, "whole", false);
      losses(tokens, 40, "parts", false);
      List<Double> rest = losses(tokens, 60, "parts", true);
      assertTrue(whole.get(59) < whole.get(0) / 2, whole.toString());
      for (int i = 1; i <= rest.size(); i++) {
        // Kernels of GPUs add up in an order that changes, so losses are only nearly the same.
        assertEquals(whole.get(60 - i), rest.get(rest.size() - i), 0.05);
      }
      assertEquals(20, rest.size());
    }
  }

  private List<Double> losses(TokenFile tokens, int steps, String name, boolean resumes) {
    TrainingConfig training =
        Configs.parse(
            """
            {"steps": %d, "batch": 8, "checkpointEvery": 20, "evaluateEvery": 20,
             "schedule": {"shape": "constant", "warmup": 2}, "learningRate": 0.01}
            """
                .formatted(steps),
            TrainingConfig.class);
    List<Double> losses = new ArrayList<>();
    try (CausalLm model = model("linear")) {
      Trainer trainer =
          new Trainer(
              model,
              new LanguageModelling(model, tokens, 8, 1, 20),
              training,
              folder.resolve(name));
      trainer.addListener(
          new Listener() {
            @Override
            public void step(Step step) {
              losses.add(step.loss());
            }
          });
      if (resumes) {
        trainer.resume();
      }
      trainer.run();
    }
    return losses;
  }

  @Test
  void decodingStepsAreThoseOfTheWholeSequence() {
    Device.use(GPU);
    try (CausalLm model = model("linear")) {
      model.train(false);
      Tensor ids = Tensor.randint(0, 256, 2, 20);
      Tensor whole = model.logits(ids);
      try (CausalLm.Decoding decoding = model.decode(2, 20);
          Mode mode = Autograd.inference()) {
        for (int t = 0; t < 20; t++) {
          assertClose(whole.select(1, t).toDoubles(), decoding.next(ids.narrow(1, t, 1)), 1e-4);
        }
      }
    }
  }

  /** Products in 8 bits are computed anywhere; those of 4 bits have kernels for the CPU only. */
  @Test
  void fewBitsAreComputedOrRefused() {
    Tensor ids = Tensor.randint(0, 256, 2, 20);
    try (CausalLm expected = model("weight-int8")) {
      expected.train(false);
      Tensor logits = expected.logits(ids);
      Device.use(GPU);
      try (CausalLm actual = model("weight-int8")) {
        copy(expected, actual);
        actual.train(false);
        assertClose(logits.detach(), actual.logits(ids.toCurrentDevice()).detach(), 1e-3);
      }
      try (CausalLm model = model("weight-int4")) {
        model.train(false);
        String message =
            assertThrows(TensorException.class, () -> model.logits(ids.toCurrentDevice()))
                .getMessage();
        assertTrue(message.contains("on the CPU only"), message);
      }
    }
  }
}
