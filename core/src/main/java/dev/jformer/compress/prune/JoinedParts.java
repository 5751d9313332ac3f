package dev.jformer.compress.prune;

import dev.jformer.model.Model;
import dev.jformer.nn.JoinedLayers;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Takes apart the layers of a model that join several matrices, such as queries, keys and values,
 * so that a rule for layers sees the matrices as layers of their own, as other libraries have them.
 *
 * @param rows number of rows of each matrix, by the name of the layer that joins them
 */
record JoinedParts(Map<String, List<Long>> rows) {
  /** The joined layers of a model. */
  static JoinedParts of(Model model) {
    Map<String, List<Long>> rows = new LinkedHashMap<>();
    model
        .modules()
        .forEach(
            (name, module) -> {
              if (module instanceof JoinedLayers joined) {
                joined.joinedRows().forEach((child, each) -> rows.put(name + "." + child, each));
              }
            });
    return new JoinedParts(rows);
  }

  /** Tensors [out, in] of layers by name, those of joined layers cut into their matrices. */
  Map<String, Tensor> split(Map<String, Tensor> layers) {
    Map<String, Tensor> parts = new LinkedHashMap<>();
    layers.forEach(
        (name, tensor) -> {
          long from = 0;
          List<Long> each = rows.getOrDefault(name, List.of(tensor.size(0)));
          for (int i = 0; i < each.size(); i++) {
            parts.put(each.size() == 1 ? name : part(name, i), tensor.narrow(0, from, each.get(i)));
            from += each.get(i);
          }
        });
    return parts;
  }

  /** Masks of whole layers, from those of the parts. */
  Masks join(Masks parts) {
    Map<String, Tensor> kept = new LinkedHashMap<>(parts.kept());
    Map<String, Tensor> whole = new LinkedHashMap<>();
    for (String name : parts.kept().keySet()) {
      String layer = name.endsWith("]") ? name.substring(0, name.indexOf('[')) : name;
      if (!whole.containsKey(layer)) {
        whole.put(layer, name.equals(layer) ? kept.get(name) : joined(layer, kept));
      }
    }
    return new Masks(whole);
  }

  private Tensor joined(String layer, Map<String, Tensor> kept) {
    List<Tensor> all = new ArrayList<>();
    for (int i = 0; i < rows.get(layer).size(); i++) {
      all.add(kept.get(part(layer, i)));
    }
    return Tensor.cat(0, all.toArray(Tensor[]::new));
  }

  private static String part(String layer, int i) {
    return layer + "[" + i + "]";
  }
}
