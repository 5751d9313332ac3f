package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jformer.config.ConfigException;
import dev.jformer.io.FormatException;
import dev.jformer.io.gguf.GgufFile;
import dev.jformer.io.gguf.GgufTensor;
import dev.jformer.io.gguf.GgufType;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.IntegerBlocks;
import dev.jformer.tensor.Shape;
import dev.jformer.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The tensors of a GGUF file under Hugging Face's names, with their rows in Hugging Face's order.
 */
final class GgufWeights implements StoredWeights {
  private final GgufFile file;
  private final GgufNames names;
  private final Map<String, String> stored = new LinkedHashMap<>();
  private final GgufArchitecture architecture;
  private final JsonNode config;

  /**
   * Names the tensors of a file.
   *
   * @param config Hugging Face's configuration of the model
   */
  GgufWeights(GgufFile file, GgufArchitecture architecture, JsonNode config) {
    this.file = file;
    this.names = architecture.names();
    this.architecture = architecture;
    this.config = config;
    for (String name : file.tensors().keySet()) {
      if (GgufRope.TENSORS.contains(name)) {
        continue; // which the configuration has
      }
      if (stored.put(names.theirs(name), name) != null) {
        throw new ConfigException(
            "the tensor " + FormatException.oneLine(names.theirs(name)) + " stands twice");
      }
    }
  }

  private GgufTensor entry(String name) {
    return file.tensors().get(stored.get(name));
  }

  @Override
  public Set<String> names() {
    return stored.keySet();
  }

  @Override
  public Shape shape(String name) {
    Shape shape = entry(name).shape();
    return order(name) == StoredOrder.TRANSPOSED && shape.rank() == 2
        ? Shape.of(shape.size(1), shape.size(0))
        : shape;
  }

  private StoredOrder order(String name) {
    return architecture.order(config, stored.get(name));
  }

  @Override
  public DType dtype(String name) {
    return entry(name).type().dtype();
  }

  @Override
  public Tensor tensor(String name) {
    return order(name).toOurs(file.tensor(stored.get(name)));
  }

  @Override
  public void copyTo(String name, Tensor target) {
    if (order(name) == StoredOrder.SAME && target.dtype() == DType.FLOAT32) {
      file.copyTo(stored.get(name), target);
    } else {
      target.copy_(tensor(name));
    }
  }

  @Override
  public Optional<BlockForm> form(String name, boolean transposed) {
    GgufTensor entry = entry(name);
    if (entry == null || !entry.type().isQuantized() || entry.shape().rank() != 2) {
      return Optional.empty();
    }
    StoredOrder order = order(name);
    GgufType type = entry.type();
    return (transposed ? order == StoredOrder.TRANSPOSED : order.movesRows())
        ? Optional.of(new BlockForm(type.tableBits(), type.hasOffsets(), type.partValues()))
        : Optional.empty();
  }

  @Override
  public Optional<IntegerBlocks> blocks(String name, boolean transposed) {
    if (form(name, transposed).isEmpty()) {
      return Optional.empty();
    }
    Optional<IntegerBlocks> found = file.blocks(stored.get(name));
    return transposed ? found : found.map(blocks -> blocks.withRows(order(name)::toOurs));
  }

  @Override
  public String spelled(String name) {
    return names.gguf(name);
  }
}
