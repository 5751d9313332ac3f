package dev.jformer.model;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.config.Flat;
import dev.jformer.nn.Embedding;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Slot;
import dev.jformer.nn.TokenSubset;
import dev.jformer.tensor.Tensor;
import io.soabase.recordbuilder.core.RecordBuilder;

/**
 * A causal stack that reads items, vectors of numbers, each followed by its label, and predicts the
 * label of the last item, as in <a href="https://arxiv.org/abs/2205.05055">Data Distributional
 * Properties Drive Emergent In-Context Learning in Transformers</a>. Items and labels are tokens of
 * their own.
 */
public final class ExemplarModel extends Model {
  /**
   * Configuration.
   *
   * @param dimension D, numbers of an item
   * @param labels L, the number of labels
   * @param items the most items of a sequence, the last one included
   * @param stack the blocks
   */
  @AutoService(Model.Config.class)
  @RecordBuilder
  public record Config(int dimension, int labels, int items, @Flat StackConfig stack)
      implements Model.Config, HasStack<Config>, ExemplarModelConfigBuilder.With {
    /** Defaults: eight items with labels and a ninth, of 32 numbers and 32 labels. */
    public Config() {
      this(32, 32, 9, new StackConfig());
    }

    /** Checks the values. */
    public Config {
      Checks.atLeast("dimension", dimension, 1);
      Checks.atLeast("labels", labels, 2);
      Checks.between("items", items, 1, Integer.MAX_VALUE / 2);
    }

    @Override
    public String type() {
      return "exemplars";
    }

    @Override
    public ExemplarModel build() {
      return new ExemplarModel(this);
    }

    @Override
    public Config withStack(StackConfig stack) {
      return ExemplarModelConfigBuilder.With.super.withStack(stack);
    }
  }

  private final Config config;
  private final Slot<Layer> item;
  private final Slot<Layer> label;
  private final Slot<TransformerStack<Block>> stack;
  private final Slot<Layer> head;

  /** Creates a model with random weights. */
  public ExemplarModel(Config config) {
    this.config = config;
    int width = config.width();
    Initializer normal = Initializer.normal(1 / Math.sqrt(width));
    this.item =
        child(
            "item",
            Layer.class,
            new Linear(config.dimension(), width, true, Initializer.uniformFanIn()));
    this.label = child("label", Layer.class, new Embedding(config.labels(), width, normal));
    this.stack =
        unnamedChild(
            TransformerStack.class,
            TransformerStack.of(
                config.stack(),
                new TransformerStack.Setting(2 * config.items() - 1).withCausal(true)));
    this.head =
        child(
            "head",
            Layer.class,
            new Linear(
                width, config.labels(), true, Initializer.normal(config.init().deviation())));
  }

  @Override
  public Config config() {
    return config;
  }

  /**
   * Computes the logits of the last item's label.
   *
   * @param items [B, T, D]
   * @param labels int64 [B, T]; the last one is not looked at
   * @return [B, L]
   */
  public Tensor logits(Tensor items, Tensor labels) {
    long count = items.size(1);
    Tensor pairs = Tensor.stack(2, item.get().forward(items), label.get().forward(labels));
    Tensor tokens = pairs.flatten(1, 2).narrow(1, 0, 2 * count - 1);
    Tensor hidden = stack.get().forwardAt(tokens, TokenSubset.only(2 * count - 2));
    return head.get().forward(hidden.select(1, 0));
  }
}
