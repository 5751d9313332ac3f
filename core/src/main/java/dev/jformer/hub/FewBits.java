package dev.jformer.hub;

import dev.jformer.config.Configs;
import dev.jformer.model.Model;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Module;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.Projection;
import dev.jformer.nn.quantized.BlockLinear;
import dev.jformer.nn.quantized.BlockWeight;
import dev.jformer.tensor.IntegerBlocks;
import dev.jformer.tensor.Shape;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * Keeps the matrices of a model in the few bits that its file holds them in. A weight that is
 * joined from several matrices stays in few bits if all of them are.
 */
record FewBits(StoredWeights weights) {
  private static final String WEIGHT = ".weight";

  /**
   * The configuration of a model with layers that can hold such matrices; the same if the file has
   * none.
   */
  Model.Config config(Model.Config plain, List<WeightMap> maps) {
    return maps.stream().anyMatch(this::holds)
        ? Configs.replace(
            plain,
            Projection.class,
            each -> each instanceof Linear.Config ? new BlockLinear.Config() : each)
        : plain;
  }

  /** Whether all matrices of a weight are blocks of integers, whose rows are rows of ours. */
  boolean holds(WeightMap map) {
    return form(map).isPresent();
  }

  /** The form in which a weight is held; empty if as floats. */
  Optional<BlockForm> form(WeightMap map) {
    boolean transposed = isTransposed(map);
    if (!transposed && !map.order().movesRows()) {
      return Optional.empty();
    }
    List<BlockForm> forms =
        map.theirs().stream().flatMap(name -> weights.form(name, transposed).stream()).toList();
    return forms.size() == map.theirs().size()
        ? Optional.of(BlockForm.joined(forms))
        : Optional.empty();
  }

  /** The bytes that weights take in memory. */
  long bytes(List<WeightMap> maps) {
    long sum = 0;
    for (WeightMap map : maps) {
      long elements = 0;
      long width = 1;
      for (String name : map.theirs()) {
        Shape shape = weights.shape(name);
        elements += shape.elements();
        width = shape.size(isTransposed(map) ? 0 : shape.rank() - 1);
      }
      long columns = width;
      long rows = elements / columns;
      sum += form(map).map(f -> f.bytes(rows, columns)).orElse(elements * Float.BYTES);
    }
    return sum;
  }

  private static boolean isTransposed(WeightMap map) {
    return map.order() == StoredOrder.TRANSPOSED;
  }

  /** The configuration of the same model with plain layers, where these hold few bits. */
  static <C extends Model.Config> C plain(C config) {
    return Configs.replace(
        config,
        Projection.class,
        each -> each instanceof BlockLinear.Config ? each.folded() : each);
  }

  /** The weights of a model by name, those of few bits as floats, in the innermost open scope. */
  static Function<String, Tensor> values(Model model) {
    Map<String, Parameter> parameters = model.parameters();
    Map<String, Module> modules = model.modules();
    return name ->
        layer(modules, name)
            .map(BlockWeight::dequantized)
            .orElseGet(() -> parameters.get(name).value().detach());
  }

  /** The name of the module that has a parameter. */
  private static String owner(String parameter) {
    return parameter.substring(0, Math.max(0, parameter.lastIndexOf('.')));
  }

  /** The layer whose weight this is, if it holds few bits. */
  static Optional<BlockWeight> layer(Map<String, Module> modules, String weight) {
    return weight.endsWith(WEIGHT) && modules.get(owner(weight)) instanceof BlockWeight layer
        ? Optional.of(layer)
        : Optional.empty();
  }

  /** Fills a layer with a weight. */
  void fill(BlockWeight layer, WeightMap map) {
    if (!holds(map)) {
      layer.store(map.toOurs(weights::tensor));
      return;
    }
    List<IntegerBlocks> parts = new ArrayList<>();
    for (String name : map.theirs()) {
      Optional<IntegerBlocks> part = weights.blocks(name, isTransposed(map));
      parts.add(part.orElseThrow());
    }
    IntegerBlocks joined = parts.size() == 1 ? parts.get(0) : IntegerBlocks.joined(parts);
    layer.store(isTransposed(map) ? joined : joined.withRows(map.order()::toOurs));
  }
}
