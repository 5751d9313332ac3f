package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jformer.config.ConfigException;
import dev.jformer.io.FormatException;
import dev.jformer.io.gguf.GgufFile;
import dev.jformer.io.gguf.GgufTensor;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Shape;
import dev.jformer.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
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
    return architecture.isTransposed(stored.get(name)) && shape.rank() == 2
        ? Shape.of(shape.size(1), shape.size(0))
        : shape;
  }

  @Override
  public DType dtype(String name) {
    return entry(name).type().dtype();
  }

  @Override
  public Tensor tensor(String name) {
    Tensor tensor = file.tensor(stored.get(name));
    if (architecture.isTransposed(stored.get(name))) {
      return tensor.t();
    }
    int heads = architecture.interleavedHeads(config, stored.get(name));
    return heads == 0 ? tensor : halves(tensor, heads);
  }

  @Override
  public void copyTo(String name, Tensor target) {
    boolean plain =
        !architecture.isTransposed(stored.get(name))
            && architecture.interleavedHeads(config, stored.get(name)) == 0
            && target.dtype() == DType.FLOAT32;
    if (plain) {
      file.copyTo(stored.get(name), target);
    } else {
      target.copy_(tensor(name));
    }
  }

  @Override
  public String spelled(String name) {
    return names.gguf(name);
  }

  /** Puts rows that stand in pairs into two halves of each head. */
  static Tensor halves(Tensor rows, int heads) {
    return exchanged(rows, heads, rows.size(0) / heads / 2, 2);
  }

  /** Puts the rows of two halves of each head into pairs. */
  static Tensor pairs(Tensor rows, int heads) {
    return exchanged(rows, heads, 2, rows.size(0) / heads / 2);
  }

  private static Tensor exchanged(Tensor rows, int heads, long outer, long inner) {
    return rows.reshape(heads, outer, inner, rows.size(1))
        .transpose(1, 2)
        .reshape(rows.size(0), rows.size(1));
  }
}
