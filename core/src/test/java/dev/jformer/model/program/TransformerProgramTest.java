package dev.jformer.model.program;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.program.DiscreteProgram;
import dev.jformer.program.DiscretisationException;
import dev.jformer.program.Step;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class TransformerProgramTest {
  private static TransformerProgram.Config config(int length, int layers, boolean causal) {
    int values = Math.max(7, length);
    return new TransformerProgram.Config()
        .with(
            c ->
                c.vocab(7)
                    .labels(3)
                    .length(length)
                    .values(values)
                    .causal(causal)
                    .layers(layers)
                    .hidden(9));
  }

  /** Five times as many tokens as values, with three learned variables. */
  private static TransformerProgram.Config ofWords(int length, int layers, boolean causal) {
    TransformerProgram.Config plain = config(length, layers, causal);
    return plain.with(c -> c.vocab(5 * plain.values()).tokenVariables(3));
  }

  private static List<String> names(int count) {
    return IntStream.range(0, count).mapToObj(i -> "t" + i).toList();
  }

  private static Tensor row(int... ids) {
    return Tensor.of(ids).to(DType.INT64).view(1, ids.length);
  }

  /** The soft form, with its noise, against loops in double precision. */
  @Test
  void trainingFollowsTheFormulas() {
    SplittableRandom random = new SplittableRandom(1);
    for (int length : new int[] {1, 2, 5, 9}) {
      for (boolean causal : new boolean[] {false, true}) {
        try (TransformerProgram model = config(length, 2, causal).build()) {
          model.before(3, 7);
          int[] ids = random.ints(length, 0, 7).toArray();
          Random.seed(length);
          double[][] expected = new NaiveTransformerProgram(model, model.temperature()).logits(ids);
          Random.seed(length);
          double[] actual =
              model.logits(row(ids), null).flatten(0, 2).to(DType.FLOAT64).toDoubles();
          for (int t = 0; t < length; t++) {
            double scale = 1 + Arrays.stream(expected[t]).map(Math::abs).max().orElseThrow();
            assertArrayEquals(
                expected[t], Arrays.copyOfRange(actual, 3 * t, 3 * t + 3), 2e-3 * scale);
          }
        }
      }
    }
  }

  /** The same with learned variables of tokens; equal tokens have equal codes. */
  @Test
  void codesOfTokensFollowTheFormulas() {
    SplittableRandom random = new SplittableRandom(4);
    for (int length : new int[] {1, 2, 5, 9}) {
      try (TransformerProgram model = ofWords(length, 2, length % 2 == 0).build()) {
        model.before(3, 7);
        int[] ids = random.ints(length, 0, model.config().vocab()).toArray();
        ids[length - 1] = ids[0];
        Random.seed(length);
        double[][] expected = new NaiveTransformerProgram(model, model.temperature()).logits(ids);
        Random.seed(length);
        double[] actual = model.logits(row(ids), null).flatten(0, 2).to(DType.FLOAT64).toDoubles();
        for (int t = 0; t < length; t++) {
          double scale = 1 + Arrays.stream(expected[t]).map(Math::abs).max().orElseThrow();
          assertArrayEquals(
              expected[t], Arrays.copyOfRange(actual, 3 * t, 3 * t + 3), 2e-3 * scale);
        }
      }
    }
  }

  /** The hard form against the interpreter, wherever the best label is not a matter of rounding. */
  @Test
  void inferenceIsTheProgram() {
    SplittableRandom random = new SplittableRandom(2);
    int compared = 0;
    int tokens = 0;
    for (int round = 0; round < 30; round++) {
      int length = new int[] {1, 2, 8, 16, 7}[round % 5];
      TransformerProgram.Config config =
          round % 2 == 1
              ? ofWords(length, round % 3 + 1, round % 3 == 0)
              : config(length, round % 3 + 1, round % 3 == 0);
      int vocab = config.vocab();
      try (TransformerProgram model = config.build();
          Mode mode = Autograd.noGrad()) {
        model.train(false);
        List<int[]> inputs =
            IntStream.range(0, 40)
                .mapToObj(i -> random.ints(1 + random.nextInt(length), 0, vocab).toArray())
                .toList();
        DiscreteProgram program =
            new Discretisation(model, names(vocab), names(3), inputs).of("Random");
        for (int[] input : inputs) {
          int[] labels = program.run(input);
          double[] logits =
              model.logits(row(input), null).flatten(0, 2).to(DType.FLOAT64).toDoubles();
          for (int t = 0; t < input.length; t++) {
            double[] own = Arrays.copyOfRange(logits, 3 * t, 3 * t + 3);
            double[] sorted = own.clone();
            Arrays.sort(sorted);
            tokens++;
            if (sorted[2] - sorted[1] > 0.06 + 2e-3 * sorted[2]) {
              compared++;
              assertEquals(sorted[2], own[labels[t]], "round " + round + ", token " + t);
            }
          }
        }
      }
    }
    assertTrue(compared > 0.8 * tokens, compared + " of " + tokens);
  }

  /** Sequences of a batch, padded, are what they are alone. */
  @Test
  void paddingChangesNothing() {
    try (TransformerProgram model = config(8, 2, false).build();
        Mode mode = Autograd.noGrad()) {
      model.train(false);
      int[] ids = {0, 3, 1, 6, 6, 2, 4, 5, 0, 2, 2, 1, 1, 1, 1, 1};
      boolean[] mask = new boolean[16];
      Arrays.fill(mask, 0, 8 + 3, true);
      Tensor both = Tensor.of(ids).to(DType.INT64).view(2, 8);
      Tensor logits = model.logits(both, Tensor.of(mask, 2, 8));
      Tensor first = model.logits(row(Arrays.copyOf(ids, 8)), null);
      Tensor second = model.logits(row(0, 2, 2), null);
      assertArrayEquals(
          first.flatten(0, 2).toFloats(), logits.narrow(0, 0, 1).flatten(0, 2).toFloats(), 1e-3f);
      assertArrayEquals(
          second.flatten(0, 2).toFloats(),
          logits.narrow(0, 1, 1).narrow(1, 0, 3).flatten(0, 2).toFloats(),
          1e-3f);
    }
  }

  @Test
  void temperaturesFallInEqualFactors() {
    try (TransformerProgram model = new TransformerProgram.Config().build()) {
      model.before(0, 101);
      assertEquals(3, model.temperature(), 1e-12);
      model.before(50, 101);
      assertEquals(Math.sqrt(3 * 0.01), model.temperature(), 1e-12);
      model.before(100, 101);
      assertEquals(0.01, model.temperature(), 1e-12);
    }
  }

  /** Everything that is chosen gets a gradient. */
  @Test
  void allWeightsAreTrained() {
    try (TransformerProgram model = ofWords(6, 2, false).build()) {
      model.logits(row(1, 2, 3, 4, 5, 6), null).square().mean().backward();
      model
          .parameters()
          .forEach(
              (name, parameter) -> {
                assertTrue(parameter.value().grad() != null, name);
                if (parameter.value().size(parameter.value().rank() - 1) > 1) {
                  assertTrue(parameter.value().grad().abs().sum().item() > 0, name);
                }
              });
    }
  }

  @Test
  void modelsWithoutHeadsOrPerceptronsAreModelsToo() {
    SplittableRandom random = new SplittableRandom(3);
    for (int mask = 0; mask < 16; mask++) {
      int left = mask;
      TransformerProgram.Config some =
          config(5, 2, false)
              .with(
                  c ->
                      c.categoricalHeads(left & 1)
                          .numericalHeads(left >> 1 & 1)
                          .categoricalMlps(left >> 2 & 1)
                          .numericalMlps(left >> 3 & 1));
      try (TransformerProgram model = some.build();
          Mode mode = Autograd.noGrad()) {
        int[] ids = random.ints(4, 0, 7).toArray();
        model.train(false);
        DiscreteProgram program =
            new Discretisation(model, names(7), names(3), List.of(ids)).of("Some");
        assertEquals(2 * Integer.bitCount(mask), program.steps().size());
        long[] best = model.logits(row(ids), null).argmax(2).flatten(0, 1).toLongs();
        assertArrayEquals(
            best, Arrays.stream(program.run(ids)).asLongStream().toArray(), "parts " + mask);
      }
    }
  }

  @Test
  void whatCannotBeAProgramIsRefused() {
    try (TransformerProgram model = config(16, 3, false).build()) {
      String message =
          assertThrows(
                  DiscretisationException.class,
                  () -> new Discretisation(model, names(7), names(3), List.of()).of("Large"))
              .getMessage();
      assertTrue(message.contains("give typical inputs"), message);
      message =
          assertThrows(
                  DiscretisationException.class,
                  () -> new Discretisation(model, names(6), names(3), List.of()))
              .getMessage();
      assertTrue(message.contains("6 tokens and 3 labels are named"), message);
      model.parameters().get("blocks.1.keys").value().detach().fill_(Double.NaN);
      message =
          assertThrows(
                  DiscretisationException.class,
                  () -> new Discretisation(model, names(7), names(3), List.of()).of("Broken"))
              .getMessage();
      assertTrue(message.contains("blocks.1.keys is not finite"), message);
      assertThrows(IllegalArgumentException.class, () -> model.logits(row(new int[17]), null));
    }
  }

  /** Small numbers are tabulated whole, others where they occur. */
  @Test
  void tablesOfNumbersHaveWhatCanOccur() {
    try (TransformerProgram model = config(8, 3, false).build()) {
      int[] typical = {0, 1, 2, 3, 4, 5};
      DiscreteProgram program =
          new Discretisation(model, names(7), names(3), List.of(typical)).of("Numbers");
      int whole = 0;
      for (Step step : program.steps()) {
        if (step instanceof Step.NumberTable table) {
          int[] levels = table.firstLevels();
          assertTrue(IntStream.range(1, levels.length).allMatch(i -> levels[i] > levels[i - 1]));
          whole += levels[levels.length - 1] == levels.length - 1 ? 1 : 0;
          assertEquals(levels.length, table.outputs().length);
        }
      }
      assertTrue(whole >= 2, whole + " tables of all numbers");
    }
  }
}
