package dev.jformer.compress.prune;

import com.google.auto.service.AutoService;
import dev.jformer.compress.CalibrationData;
import dev.jformer.compress.Compression;
import dev.jformer.compress.ModelRebuilder;
import dev.jformer.config.Configs;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.mixer.reduction.TokenReducer;
import dev.jformer.mixer.reduction.TokenReducingAttention;
import dev.jformer.mixer.reduction.ZeroTprune;
import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
import dev.jformer.model.vision.VisionTransformer;
import java.util.List;
import java.util.stream.Stream;

/**
 * Prunes tokens on their way through a trained vision transformer or text encoder, without
 * training, as in <a href="https://arxiv.org/abs/2305.17328">Zero-TPrune: Zero-Shot Token Pruning
 * through Leveraging of the Attention Graph in Pre-Trained Transformers</a> or by another rule. The
 * weights do not change; in the configuration the mixer becomes {@link TokenReducingAttention}. The
 * settings of a model that already has it can be changed in the same way.
 *
 * <p>The authors also search in which layers how many tokens leave, by drawing thousands of
 * settings at random and measuring each on validation images. There is no such search here: on two
 * cores one measurement takes minutes, and what is found suits one model and one budget of
 * operations. {@code at} and {@code share} say it by hand, and a comparison measures the settings
 * that are worth it.
 *
 * @param at indices of the blocks in which tokens leave, from 0; empty for one in the first third
 *     of the model and one in its middle, because each costs time
 * @param share share of the tokens that stays in each of them
 * @param rule the rule by which tokens leave
 */
@AutoService(Compression.class)
public record TokenPruning(List<Integer> at, double share, TokenReducer rule)
    implements Compression {
  /** Defaults: Zero-TPrune removes a quarter of the tokens in each of two blocks. */
  public TokenPruning() {
    this(List.of(), 0.75, new ZeroTprune());
  }

  /** Checks the values. */
  public TokenPruning {
    new TokenReducingAttention.Config(1, 0, at, share, true, rule); // checks these
  }

  @Override
  public String type() {
    return "zero-tprune";
  }

  @Override
  public Needs needs() {
    return Needs.NOTHING;
  }

  @Override
  public Model apply(Model model, CalibrationData calibration) {
    if (model instanceof VisionTransformer vit) {
      boolean token = vit.config().pool() == VisionTransformer.Pool.TOKEN;
      return changed(model, vit.config().layers(), token);
    }
    if (model instanceof Encoder encoder) {
      return changed(model, encoder.config().layers(), true);
    }
    throw new IllegalArgumentException(
        type()
            + " needs a model of the family vit or encoder, which support token reduction: this is"
            + " a '"
            + model.config().type()
            + "'");
  }

  private Model changed(Model model, int layers, boolean first) {
    List<Integer> blocks = at;
    if (at.isEmpty()) {
      blocks =
          Stream.of(layers / 6, layers / 2)
              .map(block -> Math.min(Math.max(1, block), layers - 1))
              .distinct()
              .toList();
    }
    List<Integer> chosen = blocks;
    return ModelRebuilder.rebuilt(
        model,
        Configs.replace(
            model.config(), TokenMixer.Config.class, mixer -> changed(mixer, chosen, first)));
  }

  private TokenMixer.Config changed(TokenMixer.Config mixer, List<Integer> blocks, boolean first) {
    if (mixer instanceof TokenReducingAttention.Config before) {
      return new TokenReducingAttention.Config(
          before.heads(), before.keyValueHeads(), blocks, share, first, rule);
    }
    if (mixer instanceof SoftmaxAttention.Config plain
        && plain.equals(new SoftmaxAttention.Config(plain.heads(), plain.keyValueHeads()))) {
      return new TokenReducingAttention.Config(
          plain.heads(), plain.keyValueHeads(), blocks, share, first, rule);
    }
    throw new IllegalArgumentException(
        type()
            + " needs a model whose mixer is 'softmax' with heads and key-value heads only, not '"
            + mixer.type()
            + (mixer instanceof SoftmaxAttention.Config ? "' with other fields" : "'"));
  }
}
