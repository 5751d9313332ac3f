package dev.jformer.ffn.expert;

import dev.jformer.ffn.Mlp;
import dev.jformer.nn.Activation;
import dev.jformer.nn.AuxiliaryLosses;
import dev.jformer.nn.SequenceContext;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.ModuleChecks;
import dev.jformer.testing.Sites;
import java.util.Arrays;

/** What tests of gates have in common: three experts, eleven tokens, and known noise. */
final class GateChecks {
  static final int WIDTH = 4;
  static final int COUNT = 3;
  static final int TOKENS = 11;
  static final long NOISE = 77;

  static Experts experts(Gate.Config gate) {
    return (Experts)
        new Experts.Config(new Mlp.Config(Activation.GELU, 4, 5), COUNT, gate)
            .build(Sites.causal(WIDTH));
  }

  /** Output plus losses, with the noise that the reference knows. */
  static Tensor forward(Experts experts, Tensor x) {
    Random.seed(NOISE);
    try (AuxiliaryLosses auxiliary = AuxiliaryLosses.collect();
        SequenceContext tokens = SequenceContext.open(ids(), null)) {
      return auxiliary.addTo(experts.forward(x));
    }
  }

  /** A sequence of words 0, 1, 2, 3, 0, 1 … */
  static Tensor ids() {
    return Tensor.arange(0, TOKENS).remainder(4).unsqueeze(0);
  }

  static void check(Experts experts, NaiveExperts.Gating gating) {
    ModuleChecks.matches(
        experts,
        x -> forward(experts, x),
        new NaiveExperts(gating, COUNT),
        Tensor.randn(1, TOKENS, WIDTH).to(DType.FLOAT64));
  }

  static double[][] noise(Tensor drawn) {
    double[] flat = drawn.toDoubles();
    double[][] rows = new double[TOKENS][];
    for (int t = 0; t < TOKENS; t++) {
      rows[t] = Arrays.copyOfRange(flat, t * COUNT, (t + 1) * COUNT);
    }
    return rows;
  }

  static double pairsPerToken(Experts experts, Tensor x) {
    return ExpertLoad.of(experts, () -> experts.forward(x)).perToken();
  }

  private GateChecks() {}
}
