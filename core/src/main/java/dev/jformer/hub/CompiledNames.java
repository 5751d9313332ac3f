package dev.jformer.hub;

import dev.jformer.io.FormatException;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Shape;
import dev.jformer.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * The tensors of a model that was saved while it was compiled by {@code torch.compile}, which puts
 * {@code _orig_mod.} into their names.
 */
final class CompiledNames implements StoredWeights {
  private static final String MARK = "_orig_mod.";

  private final StoredWeights weights;
  private final Map<String, String> stored = new LinkedHashMap<>();

  private CompiledNames(StoredWeights weights) {
    this.weights = weights;
    for (String name : weights.names()) {
      String other = stored.put(name.replace(MARK, ""), name);
      if (other != null) {
        throw new FormatException(
            "the tensors "
                + FormatException.oneLine(other)
                + " and "
                + FormatException.oneLine(name)
                + " are the same one: expected one of them");
      }
    }
  }

  /** The tensors under the names of the model itself. */
  static StoredWeights removed(StoredWeights weights) {
    boolean compiled = weights.names().stream().anyMatch(name -> name.contains(MARK));
    return compiled ? new CompiledNames(weights) : weights;
  }

  @Override
  public Set<String> names() {
    return stored.keySet();
  }

  @Override
  public Shape shape(String name) {
    return weights.shape(stored.get(name));
  }

  @Override
  public DType dtype(String name) {
    return weights.dtype(stored.get(name));
  }

  @Override
  public Tensor tensor(String name) {
    return weights.tensor(stored.get(name));
  }

  @Override
  public void copyTo(String name, Tensor target) {
    weights.copyTo(stored.get(name), target);
  }

  @Override
  public String spelled(String name) {
    return weights.spelled(stored.getOrDefault(name, name));
  }
}
