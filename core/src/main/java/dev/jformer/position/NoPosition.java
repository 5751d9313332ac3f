package dev.jformer.position;

import com.google.auto.service.AutoService;

/** No position encoding: a causal model can still infer order from what each token sees. */
public final class NoPosition extends Position {
  /** Configuration. */
  @AutoService(Position.Config.class)
  public record Config() implements Position.Config {
    @Override
    public String type() {
      return "none";
    }

    @Override
    public Position build(int width, int heads, int headDim, int length) {
      return new NoPosition();
    }
  }

  @Override
  public RowRotation rowRotation() {
    return RowRotation.NONE;
  }
}
