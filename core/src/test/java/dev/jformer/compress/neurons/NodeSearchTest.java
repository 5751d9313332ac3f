package dev.jformer.compress.neurons;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class NodeSearchTest {
  private static CausalLm model() {
    Random.seed(3);
    CausalLm model =
        (CausalLm)
            Configs.parse(
                    "{\"model\":\"causal-lm\",\"layers\":2,\"width\":8,\"vocab\":20,\"length\":10,"
                        + "\"mixer\":{\"heads\":2},\"ffn\":{\"type\":\"mlp\",\"hidden\":6}}",
                    Model.Config.class)
                .build();
    model
        .parameters()
        .forEach((n, p) -> p.copyFrom(Tensor.randn(p.value().shape().toArray()).mul(0.3)));
    model.train(false);
    return model;
  }

  private static Tensor logits(Model model, Tensor ids) {
    try (Mode mode = Autograd.noGrad()) {
      return ((CausalLm) model).logits(ids);
    }
  }

  /** A network without some units is the whole one in which nothing goes out of them. */
  @Test
  void aSubNetworkIsTheWholeOneWithUnitsSilenced() {
    CausalLm model = model();
    Tensor ids = Tensor.randint(0, 20, 2, 10);
    NeuronMask neurons = new NodeSearch(1, 0.5, 4).sample(NeuronMask.counts(model), 0);
    Tensor small = logits(neurons.applied(model), ids);
    neurons
        .kept()
        .forEach(
            (name, kept) -> {
              Tensor out = model.parameters().get(name + ".down.weight").value().detach();
              List<Long> staying = new ArrayList<>();
              for (long unit : kept) {
                staying.add(unit);
              }
              for (long unit = 0; unit < 6; unit++) {
                if (!staying.contains(unit)) {
                  out.select(1, unit).fill_(0);
                }
              }
            });
    assertTrue(small.sub(logits(model, ids)).abs().max().item() < 1e-5);
  }

  @Test
  void keepsTheBestOfWhatItTries() {
    CausalLm model = model();
    Tensor ids = Tensor.randint(0, 20, 2, 10);
    ToDoubleFunction<Model> judge =
        candidate -> {
          assertEquals(6, NeuronMask.counts(candidate).values().stream().mapToInt(c -> c).sum());
          double loss = logits(candidate, ids).square().mean().item();
          candidate.parameters().values().forEach(p -> p.value().detach().zero_()); // as training
          return loss;
        };
    List<Double> told = new ArrayList<>();
    NodeSearch search = new NodeSearch(12, 0.5, 9);
    List<NodeSearch.Candidate> trials = search.run(model, judge, told::add);
    assertEquals(12, trials.size());
    assertEquals(1, told.get(11));
    double best = Double.POSITIVE_INFINITY;
    for (int n = 0; n < 12; n++) {
      NeuronMask neurons = search.sample(NeuronMask.counts(model), n);
      best = Math.min(best, logits(neurons.applied(model), ids).square().mean().item());
      assertTrue(trials.stream().anyMatch(trial -> trial.neurons().equals(neurons)));
    }
    assertEquals(best, trials.get(0).loss(), 1e-9);
    assertEquals(
        best,
        logits(trials.get(0).neurons().applied(model), ids).square().mean().item(),
        1e-9,
        "the start is as it was");
    assertEquals(trials, search.run(model, judge, done -> {}));
    List<NodeSearch.Candidate> more = new NodeSearch(13, 0.5, 9).run(model, judge, done -> {});
    assertTrue(more.containsAll(trials), "samples do not depend on how many there are");
  }

  @Test
  void whatIsNoNumberIsNotTheBest() {
    int[] calls = new int[1];
    List<NodeSearch.Candidate> trials =
        new NodeSearch(3, 0.5, 1)
            .run(model(), candidate -> calls[0]++ == 0 ? Double.NaN : 5, done -> {});
    assertEquals(5, trials.get(0).loss());
    assertEquals(Double.POSITIVE_INFINITY, trials.get(2).loss());
  }

  @Test
  void refusesNonsense() {
    assertThrows(IllegalArgumentException.class, () -> new NodeSearch(0, 0.5, 1));
    assertThrows(IllegalArgumentException.class, () -> new NodeSearch(3, 1, 1));
  }
}
