package dev.jformer.model;

import dev.jformer.config.Checks;
import dev.jformer.config.Flat;
import dev.jformer.position.LearnedPosition;
import dev.jformer.position.Position;
import io.soabase.recordbuilder.core.RecordBuilder;

/**
 * Configuration of a stack of blocks.
 *
 * @param layers L, number of blocks
 * @param width D
 * @param position the position encoding
 * @param block the parts of each block
 */
@RecordBuilder
public record StackConfig(int layers, int width, Position.Config position, @Flat BlockConfig block)
    implements StackConfigBuilder.With {
  /** More than any model has; so many blocks without weights would fill the memory. */
  private static final int MOST_LAYERS = 10_000;

  /** Defaults: four blocks of width 256 with learned positions. */
  public StackConfig() {
    this(4, 256, new LearnedPosition.Config(), new BlockConfig());
  }

  /** Checks the values. */
  public StackConfig {
    Checks.between("layers", layers, 1, MOST_LAYERS);
    Checks.atLeast("width", width, 1);
    Checks.notNull("position", position);
    Checks.notNull("block", block);
  }
}
