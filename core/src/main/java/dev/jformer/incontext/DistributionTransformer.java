package dev.jformer.incontext;

import dev.jformer.config.Checks;
import dev.jformer.ffn.Mlp;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.BlockConfig;
import dev.jformer.model.DecoderBlock;
import dev.jformer.model.NormPlacement;
import dev.jformer.nn.Activation;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Module;
import dev.jformer.nn.Slot;
import dev.jformer.position.NoPosition;
import dev.jformer.position.Position;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.ArrayList;
import java.util.List;

/**
 * Turns a prior and data into a posterior (<a href="https://arxiv.org/abs/2502.02463">Distribution
 * Transformers: Fast Approximate Bayesian Inference With On-The-Fly Prior Adaptation</a>): the
 * components of a mixture are tokens that attend to each other and to the observations; what comes
 * out are the components of the posterior. It is trained on θ drawn from priors that are drawn
 * themselves, on -log q(θ).
 *
 * <p>Components have no order, nor have observations. As in the authors' code the outputs of the
 * attention among components and of the perceptrons start at 0, norms follow the parts they belong
 * to, and a diagonal is exp(·) + 10⁻⁶.
 */
public final class DistributionTransformer extends Module {
  private static final double LEAST = 1e-6;

  private final int dimensions;
  private final Slot<TwoLayers> prior;
  private final Slot<TwoLayers> data;
  private final List<Slot<DecoderBlock>> blocks;
  private final Slot<TwoLayers> posterior;

  /**
   * The shape of a model.
   *
   * @param dimensions d of θ
   * @param observation numbers of an observation
   * @param layers number of blocks
   * @param width of the tokens
   * @param heads must divide the width
   * @param hidden width of the perceptrons
   */
  @RecordBuilder
  public record Config(
      int dimensions, int observation, int layers, int width, int heads, int hidden)
      implements DistributionTransformerConfigBuilder.With {
    /** Defaults: one dimension, observations of a number; the authors' width and a narrower MLP. */
    public Config() {
      this(1, 1, 4, 32, 8, 128);
    }

    /** Checks the values. */
    public Config {
      Checks.atLeast("dimensions", dimensions, 1);
      Checks.atLeast("observation", observation, 1);
      Checks.atLeast("layers", layers, 1);
      Checks.atLeast("hidden", hidden, 1);
    }

    /** Builds a model of random weights. */
    public DistributionTransformer build() {
      return new DistributionTransformer(this);
    }

    private int features() {
      return 1 + 2 * dimensions + dimensions * (dimensions - 1) / 2;
    }
  }

  /** A perceptron without residual. */
  static final class TwoLayers extends Module {
    private final Slot<Linear> first;
    private final Slot<Linear> second;

    TwoLayers(int in, int hidden, int out) {
      first =
          child(
              "first",
              Linear.class,
              new Linear(in, hidden, true, Initializer.normal(1 / Math.sqrt(in))));
      second =
          child(
              "second",
              Linear.class,
              new Linear(hidden, out, true, Initializer.normal(1 / Math.sqrt(hidden))));
    }

    Tensor forward(Tensor x) {
      return second.get().forward(Functional.gelu(first.get().forward(x)));
    }
  }

  private DistributionTransformer(Config config) {
    dimensions = config.dimensions;
    int width = config.width;
    prior = child("prior", TwoLayers.class, new TwoLayers(config.features(), 32, width));
    data = child("data", TwoLayers.class, new TwoLayers(config.observation, 32, width));
    posterior = child("posterior", TwoLayers.class, new TwoLayers(width, 32, config.features()));
    BlockConfig parts =
        new BlockConfig()
            .withMixer(new SoftmaxAttention.Config(config.heads, 0))
            .withFfn(new Mlp.Config(Activation.GELU, 4, config.hidden))
            .withPlacement(NormPlacement.POST)
            .withBias(true)
            .withDropout(0)
            .withInit(new BlockContext.Init(1 / Math.sqrt(width), false));
    List<DecoderBlock> made = new ArrayList<>();
    for (int layer = 0; layer < config.layers; layer++) {
      BlockContext context =
          parts.context(width, layer, config.layers, Integer.MAX_VALUE, false, 1);
      Position none = new NoPosition.Config().build(width, config.heads, width / config.heads, 1);
      made.add(new DecoderBlock(context, parts, config.heads, none));
    }
    blocks = children("blocks", DecoderBlock.class, made);
    parameters()
        .forEach(
            (name, parameter) -> {
              if (name.endsWith(".mixer.out.weight") || name.endsWith(".ffn.down.weight")) {
                parameter.copyFrom(parameter.value().detach().zerosLike());
              }
            });
  }

  /**
   * Computes posteriors.
   *
   * @param before the priors, with any number of components
   * @param observations [B, n, numbers of an observation]
   * @return mixtures with as many components
   */
  public GaussianMixture forward(GaussianMixture before, Tensor observations) {
    Tensor x = prior.get().forward(tokens(before));
    Tensor seen = data.get().forward(observations);
    for (Slot<DecoderBlock> block : blocks) {
      x = block.get().forward(x, block.get().read(seen, null));
    }
    return mixture(posterior.get().forward(x));
  }

  /** The numbers of components: [B, K, 1 + 2 d + d (d - 1) / 2]. */
  private Tensor tokens(GaussianMixture mixture) {
    List<Tensor> parts = new ArrayList<>();
    parts.add(mixture.logWeights().unsqueeze(2));
    parts.add(mixture.means());
    for (int i = 0; i < dimensions; i++) {
      parts.add(entry(mixture, i, i).log());
    }
    for (int i = 0; i < dimensions; i++) {
      for (int j = 0; j < i; j++) {
        parts.add(entry(mixture, i, j));
      }
    }
    return Tensor.cat(2, parts.toArray(Tensor[]::new));
  }

  private static Tensor entry(GaussianMixture mixture, int row, int column) {
    return mixture.factors().select(2, row).narrow(2, column, 1);
  }

  private GaussianMixture mixture(Tensor numbers) {
    Tensor logWeights = numbers.select(2, 0).logSoftmax(1);
    Tensor means = numbers.narrow(2, 1, dimensions);
    List<Tensor> rows = new ArrayList<>();
    int below = 1 + 2 * dimensions;
    for (int i = 0; i < dimensions; i++) {
      List<Tensor> row = new ArrayList<>();
      for (int j = 0; j < dimensions; j++) {
        Tensor zero = numbers.narrow(2, 0, 1).detach().zerosLike();
        if (j < i) {
          row.add(numbers.narrow(2, below++, 1));
        } else {
          row.add(j > i ? zero : numbers.narrow(2, 1 + dimensions + i, 1).exp().add(LEAST));
        }
      }
      rows.add(Tensor.cat(2, row.toArray(Tensor[]::new)).unsqueeze(2));
    }
    return new GaussianMixture(logWeights, means, Tensor.cat(2, rows.toArray(Tensor[]::new)));
  }
}
