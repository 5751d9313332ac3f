package dev.jformer.model;

import dev.jformer.position.Position;
import java.util.function.Consumer;

/**
 * Configuration of a model that consists of embeddings, one stack of blocks and a head.
 *
 * @param <C> the configuration itself
 */
public interface HasStack<C extends Model.Config> extends HasBlocks<C> {
  /** The blocks. */
  StackConfig stack();

  /** Returns this configuration with another stack. */
  C withStack(StackConfig stack);

  /** Returns this configuration with some fields of its stack changed. */
  default C withStack(Consumer<StackConfigBuilder> change) {
    return withStack(stack().with(change));
  }

  @Override
  default BlockConfig block() {
    return stack().block();
  }

  @Override
  default C withBlock(BlockConfig block) {
    return withStack(stack().withBlock(block));
  }

  /** L, number of blocks. */
  default int layers() {
    return stack().layers();
  }

  /** D, width of the residual stream. */
  default int width() {
    return stack().width();
  }

  /** The position encoding. */
  default Position.Config position() {
    return stack().position();
  }
}
