package dev.jformer.train;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.jformer.data.text.EncodedSample;
import dev.jformer.data.text.Sample;
import dev.jformer.data.text.SampleEncoder;
import dev.jformer.data.tokenizer.ByteTokenizer;
import dev.jformer.model.CausalLm;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Scoped.class)
class InstructionTuningTest {
  private static CausalLm model(String position) {
    Random.seed(2);
    CausalLm.Config config =
        dev.jformer.config.Configs.parse(
            "{'model':'causal-lm','layers':2,'width':32,'vocab':256,'length':200,'position':{'type':'POSITION'}}"
                .replace("POSITION", position)
                .replace('\'', '"'),
            CausalLm.Config.class);
    return config.build();
  }

  private static List<EncodedSample> samples() {
    SampleEncoder encoder = new SampleEncoder(new ByteTokenizer(), OptionalInt.of(0));
    List<EncodedSample> samples = new ArrayList<>();
    for (int length : new int[] {1, 2, 63, 64, 65, 127, 128, 129, 140}) {
      String prompt = "question ".repeat(20).substring(0, length / 3);
      samples.add(
          encoder.encode(new Sample.Completion(prompt, "answer ".repeat(30).substring(0, length))));
    }
    return samples;
  }

  /** The mean over all learned tokens, one sample at a time: no sample sees another or padding. */
  private static double naive(CausalLm model, List<EncodedSample> samples) {
    double sum = 0;
    int count = 0;
    for (EncodedSample sample : samples) {
      int n = sample.ids().length;
      Tensor ids = Tensor.of(sample.ids(), 1, n).to(dev.jformer.tensor.DType.INT64);
      double[] logits = model.logits(ids).logSoftmax(-1).toDoubles();
      for (int t = 1; t < n; t++) {
        if (sample.learned()[t]) {
          sum -= logits[(t - 1) * 256 + sample.ids()[t]];
          count++;
        }
      }
    }
    return sum / count;
  }

  @ParameterizedTest
  @ValueSource(strings = {"rope", "learned"})
  void aBatchGivesTheLossAndGradientsOfItsSamplesAlone(String position) {
    CausalLm model = model(position);
    List<EncodedSample> samples = samples();
    InstructionTuning task = new InstructionTuning(model, samples, samples, 9, 1);
    model.train(true);
    Tensor loss = task.loss(0);
    assertEquals(naive(model, samples), loss.item(), 1e-5);
    loss.backward();
    List<Tensor> together = model.trained().stream().map(p -> p.value().grad().copy()).toList();
    model.clearGrads();
    long all = samples.stream().mapToInt(EncodedSample::targets).sum();
    for (EncodedSample sample : samples) {
      InstructionTuning alone =
          new InstructionTuning(model, List.of(sample), List.of(sample), 1, 1);
      alone.loss(0).mul((double) sample.targets() / all).backward();
    }
    int i = 0;
    for (var parameter : model.trained()) {
      assertClose(together.get(i++), parameter.value().grad(), 1e-5);
    }
    model.train(false);
    try (Mode mode = Autograd.noGrad()) {
      assertEquals(naive(model, samples), task.evaluate().loss(), 1e-5);
    }
  }

  @Test
  void onlyAnswersAndTheirEndAreLearned() {
    SampleEncoder encoder = new SampleEncoder(new ByteTokenizer(), OptionalInt.of(0));
    EncodedSample sample = encoder.encode(new Sample.Completion("ab", "c"));
    assertEquals("[97, 98, 99, 0]", Arrays.toString(sample.ids()));
    assertEquals("[false, false, true, true]", Arrays.toString(sample.learned()));
    EncodedSample text = encoder.encode(new Sample.Text("ab"));
    assertEquals("[true, true, true]", Arrays.toString(text.learned()));
    assertEquals(2, text.targets(), "nothing stands before the first");
  }
}
