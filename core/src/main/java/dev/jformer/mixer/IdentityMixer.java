package dev.jformer.mixer;

import com.google.auto.service.AutoService;
import dev.jformer.mixer.cache.ConvState;
import dev.jformer.nn.BlockContext;
import dev.jformer.position.Position;
import dev.jformer.tensor.Tensor;

/**
 * A mixer that does nothing, which MetaFormer's authors (<a
 * href="https://arxiv.org/abs/2111.11418">MetaFormer Is Actually What You Need for Vision</a>) use
 * to measure what the block itself contributes. It has no weights.
 */
public final class IdentityMixer extends TokenMixer {
  /** Configuration. */
  @AutoService(TokenMixer.Config.class)
  public record Config() implements TokenMixer.Config {
    @Override
    public String type() {
      return "identity";
    }

    @Override
    public TokenMixer build(BlockContext context, Position position) {
      return new IdentityMixer();
    }
  }

  @Override
  public Tensor forward(Tensor x, Tensor paddingMask) {
    return x;
  }

  @Override
  public State start(long batch, long capacity) {
    return new ConvState(0);
  }

  @Override
  public Tensor step(Tensor x, State state) {
    return ((ConvState) state).append(x);
  }
}
