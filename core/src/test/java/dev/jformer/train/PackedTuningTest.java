package dev.jformer.train;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.data.text.EncodedSample;
import dev.jformer.data.text.SamplePacking;
import dev.jformer.model.CausalLm;
import dev.jformer.nn.AuxiliaryLosses;
import dev.jformer.nn.Packing;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.Recomputation;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Rows of several samples: each sample gives what it gives alone, gradients included. */
@ExtendWith(Scoped.class)
class PackedTuningTest {
  private static final int VOCAB = 23;
  private static final int[] LENGTHS = {2, 3, 64, 65, 66, 128, 129, 130, 90, 7, 7, 12, 40};

  private static CausalLm model(String position, String mixer) {
    Random.seed(2);
    CausalLm model =
        Configs.parse(
                ("{'model':'causal-lm','layers':2,'width':16,'vocab':23,'length':200,'dropout':0,"
                        + "'position':{'type':'"
                        + position
                        + "'},'mixer':"
                        + mixer
                        + "}")
                    .replace('\'', '"'),
                CausalLm.Config.class)
            .build();
    for (Parameter parameter : model.parameters().values()) {
      if (parameter.value().dtype().isFloating()) {
        Tensor value = parameter.value().detach().to(DType.FLOAT64);
        parameter.replace(value.rank() == 2 ? value.mul(5) : value);
      }
    }
    return model;
  }

  private static List<EncodedSample> samples(int... lengths) {
    SplittableRandom random = new SplittableRandom(6);
    List<EncodedSample> samples = new ArrayList<>();
    for (int length : lengths) {
      boolean[] learned = new boolean[length];
      for (int i = 0; i < length; i++) {
        learned[i] = i == length - 1 || random.nextInt(3) > 0;
      }
      samples.add(new EncodedSample(random.ints(length, 0, VOCAB).toArray(), learned));
    }
    return samples;
  }

  /** The sum over the learned tokens of one sample, by the logits of the sample alone. */
  private static Tensor alone(CausalLm model, EncodedSample sample) {
    long[] ids = Arrays.stream(sample.ids()).asLongStream().toArray();
    Tensor logProbabilities = model.logits(Tensor.of(ids, 1, ids.length)).squeeze(0).logSoftmax(-1);
    Tensor sum = Tensor.zeros(DType.FLOAT64, 1);
    for (int t = 1; t < ids.length; t++) {
      if (sample.learned()[t]) {
        sum = sum.sub(logProbabilities.select(0, t - 1).narrow(0, ids[t], 1));
      }
    }
    return sum.sum();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "rope {'type':'softmax','heads':4,'keyValueHeads':2}",
        "learned {'type':'softmax','heads':2}",
        "sinusoidal {'type':'softmax','heads':2}",
        "alibi {'type':'softmax','heads':2}",
        "t5 {'type':'softmax','heads':2}",
        "rope {'type':'softmax','heads':2,'window':5}",
        "rope {'type':'softmax','heads':2,'logitCap':3.0}",
        "none {'type':'s4d','states':4}",
        "none {'type':'lstm'}",
        "none {'type':'dlr','states':3}"
      })
  void lossAndGradientsAreThoseOfSamplesAloneInFloat64(String parts) {
    String[] both = parts.split(" ", 2);
    CausalLm model = model(both[0], both[1]);
    List<EncodedSample> samples = samples(LENGTHS);
    SamplePacking rows = new SamplePacking(samples, 150, 3, 4);
    assertTrue(rows.rows() > 3 && rows.rows() < samples.size());
    var packed = dev.jformer.data.text.PackedRows.of(rows.batch(1), 0);
    Tensor loss =
        Functional.crossEntropy(
            model.logitsAt(packed.ids(), packed.packing(), packed.positions()),
            packed.targets(),
            -1,
            0);
    loss.backward();
    Map<String, Tensor> together = new HashMap<>();
    model
        .parameters()
        .forEach(
            (name, p) -> {
              if (p.value().requiresGrad()) {
                together.put(name, p.value().grad().copy());
              }
            });
    model.clearGrads();
    List<EncodedSample> own = rows.batch(1).stream().flatMap(List::stream).toList();
    int targets = own.stream().mapToInt(EncodedSample::targets).sum();
    double sum = 0;
    for (EncodedSample sample : own) {
      Tensor each = alone(model, sample).div((double) targets);
      sum += each.item();
      each.backward();
    }
    assertEquals(sum, loss.item(), 1e-12);
    together.forEach(
        (name, gradient) ->
            assertClose(model.parameters().get(name).value().grad(), gradient, 1e-12));
  }

  /** The same in the task, with float32 weights; recomputed blocks give the same, too. */
  @Test
  void theTaskTrainsOnRows() {
    CausalLm model = model("rope", "{'type':'softmax','heads':2}");
    model
        .parameters()
        .values()
        .forEach(
            p -> {
              if (p.value().dtype().isFloating()) {
                p.replace(p.value().detach().to(DType.FLOAT32));
              }
            });
    List<EncodedSample> samples = samples(LENGTHS);
    InstructionTuning task = InstructionTuning.packed(model, samples, samples, 150, 100, 4);
    assertEquals(samples.size(), task.trainingSamples());
    Tensor loss;
    try (AuxiliaryLosses auxiliary = AuxiliaryLosses.collect()) {
      loss = task.loss(0);
    }
    assertEquals(InstructionTuning.loss(model, samples, 3), loss.item(), 1e-5);
    loss.backward();
    Tensor gradient = model.trained().iterator().next().value().grad().copy();
    model.clearGrads();
    try (Mode mode = Recomputation.open()) {
      Tensor again = task.loss(0);
      assertEquals(loss.item(), again.item(), 0);
      again.backward();
    }
    assertClose(gradient, model.trained().iterator().next().value().grad(), 0);
    double counted = task.counted(0).to(DType.FLOAT64).sum().item();
    assertEquals(samples.stream().mapToInt(EncodedSample::targets).sum(), counted);
  }

  /** What stands beside a sample does not change its logits by a bit. */
  @Test
  void noSampleSeesAnother() {
    CausalLm model = model("rope", "{'type':'softmax','heads':2}");
    model.train(false);
    SplittableRandom random = new SplittableRandom(3);
    long[] ids = random.longs(20, 0, VOCAB).toArray();
    long[] other = ids.clone();
    for (int i = 0; i < 7; i++) {
      other[i] = (ids[i] + 1) % VOCAB;
    }
    Packing packing = new Packing(List.of(List.of(7, 9, 4)));
    Tensor asked = Tensor.arange(7, 20);
    try (Mode mode = Autograd.noGrad()) {
      double[] before = model.logitsAt(Tensor.of(ids, 1, 20), packing, asked).toDoubles();
      double[] after = model.logitsAt(Tensor.of(other, 1, 20), packing, asked).toDoubles();
      assertArrayEquals(before, after, 0);
      Packing whole = new Packing(List.of(List.of(16, 4)));
      double[] joined = model.logitsAt(Tensor.of(ids, 1, 20), whole, asked).toDoubles();
      assertTrue(Math.abs(joined[0] - before[0]) > 1e-6, "one sequence is seen");
    }
    CausalLm learned = model("learned", "{'type':'softmax','heads':2}");
    Packing tooLong = new Packing(List.of(List.of(201, 3)));
    var refused =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                learned.logitsAt(Tensor.zeros(DType.INT64, 1, 204), tooLong, Tensor.arange(0, 1)));
    assertTrue(refused.getMessage().contains("201"), refused.getMessage());
    Packing fits = new Packing(List.of(List.of(200, 4, 200)));
    try (Scope scope = Scope.open()) {
      learned.logitsAt(Tensor.zeros(DType.INT64, 1, 404), fits, Tensor.arange(0, 1));
    }
  }

  /** Each sample is in one row of an epoch, rows are full, and their number is the same in all. */
  @Test
  void rowsAreFullAndHoldEachSampleOnce() {
    int[] lengths = new SplittableRandom(1).ints(500, 2, 120).toArray();
    List<EncodedSample> samples = samples(lengths);
    SamplePacking packing = new SamplePacking(samples, 256, 4, 9);
    long tokens = Arrays.stream(lengths).mapToLong(length -> length - 1).sum();
    assertTrue(packing.rows() * 256L < 1.03 * tokens, packing.rows() + " rows of " + tokens);
    Set<List<EncodedSample>> first = new HashSet<>();
    for (int epoch = 0; epoch < 3; epoch++) {
      Map<EncodedSample, Integer> seen = new HashMap<>();
      for (int i = 0; i < packing.perEpoch(); i++) {
        List<List<EncodedSample>> batch = packing.batch((long) epoch * packing.perEpoch() + i);
        assertTrue(batch.size() == 4 || i == packing.perEpoch() - 1);
        for (List<EncodedSample> row : batch) {
          assertTrue(row.stream().mapToInt(s -> s.ids().length - 1).sum() <= 256);
          row.forEach(sample -> seen.merge(sample, 1, Integer::sum));
          first.add(row);
        }
      }
      Map<EncodedSample, Integer> expected = new HashMap<>();
      samples.forEach(sample -> expected.merge(sample, 1, Integer::sum));
      assertEquals(expected, seen);
    }
    assertTrue(first.size() > 1.5 * packing.rows(), "samples stand beside others in each epoch");
    assertEquals(packing.batch(3), new SamplePacking(samples, 256, 4, 9).batch(3));
  }
}
