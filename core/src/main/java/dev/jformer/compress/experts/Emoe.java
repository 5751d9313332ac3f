package dev.jformer.compress.experts;

import com.google.auto.service.AutoService;
import dev.jformer.compress.CalibrationData;
import dev.jformer.compress.Compression;
import dev.jformer.compress.ModelRebuilder;
import dev.jformer.config.Checks;
import dev.jformer.config.Configs;
import dev.jformer.ffn.ChannelMixer;
import dev.jformer.ffn.GatedMlp;
import dev.jformer.ffn.Mlp;
import dev.jformer.ffn.PerLayer;
import dev.jformer.ffn.expert.EmergentExperts;
import dev.jformer.ffn.internal.BalancedKMeans;
import dev.jformer.model.Model;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Splits the perceptrons of a trained model into experts, as in <a
 * href="https://arxiv.org/abs/2310.10908">Emergent Mixture-of-Experts: Can Dense Pre-trained
 * Transformers Benefit from Emergent Modular Structures?</a>. Hidden units whose input weights
 * point in like directions make up an expert, found by k-means with clusters of one size; see
 * {@link EmergentExperts} for what runs then. Nothing is trained, and {@link Unite} makes the model
 * dense again.
 *
 * @param experts N, number of experts in each layer
 * @param active k, number of experts that run for a token
 * @param split how units are assigned to experts
 * @param last number of last layers to split; 0 for all
 * @param seed seed of the draws
 * @param starts number of searches for clusters, of which the best is taken; the authors' library
 *     makes 10
 */
@AutoService(Compression.class)
public record Emoe(int experts, int active, Split split, int last, long seed, int starts)
    implements Compression {
  /** The searches of the authors' library. */
  private static final int STARTS = 10;

  /** How units are assigned to experts. */
  public enum Split {
    /** Units with similar input weights together. */
    CLUSTERED,
    /** At random, as a baseline. */
    RANDOM
  }

  /** Defaults: four of eight clustered experts, in all layers. */
  public Emoe() {
    this(8, 4, Split.CLUSTERED, 0, 1);
  }

  /** The best of ten clusterings. */
  public Emoe(int experts, int active, Split split, int last, long seed) {
    this(experts, active, split, last, seed, STARTS);
  }

  /** Checks the values. */
  public Emoe {
    Checks.atLeast("starts", starts, 1);
    new EmergentExperts.Config(new Mlp.Config().activation(), 4, 0, experts, active);
    Checks.atLeast("last", last, 0);
    if (split == null) {
      throw new IllegalArgumentException("split is null: expected clustered or random");
    }
  }

  @Override
  public String type() {
    return "emoe";
  }

  @Override
  public Needs needs() {
    return Needs.NOTHING;
  }

  @Override
  public Model apply(Model model, CalibrationData calibration) {
    int layers =
        ModelRebuilder.all(model, Mlp.class).size()
            + ModelRebuilder.all(model, GatedMlp.class).size();
    if (last > layers) {
      throw new IllegalArgumentException(
          "last is " + last + ", but the model has " + layers + " perceptrons");
    }
    return ModelRebuilder.filled(
        model,
        Configs.replace(model.config(), ChannelMixer.Config.class, c -> with(c, layers)),
        this::part);
  }

  private void part(Model made) {
    SplittableRandom random = new SplittableRandom(seed);
    for (EmergentExperts layer : ModelRebuilder.all(made, EmergentExperts.class).values()) {
      layer.assign(
          split == Split.CLUSTERED
              ? BalancedKMeans.cluster(layer.keys().detach(), experts, random.nextLong(), starts)
              : shuffled(Math.toIntExact(layer.keys().size(0)), random));
    }
  }

  private ChannelMixer.Config with(ChannelMixer.Config ffn, int layers) {
    ChannelMixer.Config made = made(ffn);
    if (last == 0) {
      return made;
    }
    List<ChannelMixer.Config> each = new ArrayList<>();
    for (int layer = 0; layer < layers; layer++) {
      each.add(layer < layers - last ? ffn : made);
    }
    return PerLayer.of(each);
  }

  private ChannelMixer.Config made(ChannelMixer.Config ffn) {
    if (ffn instanceof Mlp.Config mlp) {
      return new EmergentExperts.Config(
          mlp.activation(), mlp.expand(), mlp.hidden(), experts, active);
    }
    if (ffn instanceof GatedMlp.Config mlp) {
      return new EmergentExperts.Config(
          mlp.activation(), mlp.expand(), mlp.hidden(), experts, active, true);
    }
    throw new IllegalArgumentException(
        type() + " needs a model whose ffn is 'mlp' or 'gated-mlp', not '" + ffn.type() + "'");
  }

  private long[][] shuffled(int units, SplittableRandom random) {
    long[] order = new long[units];
    for (int i = 0; i < units; i++) {
      int j = random.nextInt(i + 1);
      order[i] = order[j];
      order[j] = i;
    }
    long[][] members = new long[experts][units / experts];
    for (int i = 0; i < units; i++) {
      members[i / (units / experts)][i % (units / experts)] = order[i];
    }
    return members;
  }
}
