package dev.jformer.hub;

import dev.jformer.adapt.AdapterTarget;
import dev.jformer.adapt.Adapters;
import dev.jformer.config.Nearest;
import dev.jformer.io.FormatException;
import dev.jformer.model.Model;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The names under which PEFT's files hold the matrices of a model: those of its Hugging Face
 * family, or our own if it belongs to none.
 */
final class PeftNames {
  private static final String WEIGHT = ".weight";

  /** Our matrices by the names of their modules. */
  private final Map<String, AdapterTarget> targets = new LinkedHashMap<>();

  /** Our parameters by the names of theirs. */
  private final Map<String, String> parameters = new LinkedHashMap<>();

  private boolean transposed;

  /**
   * Finds the names of a model.
   *
   * @param maps the weights of its family; empty if it belongs to none
   */
  PeftNames(Model model, List<WeightMap> maps) {
    Map<String, List<AdapterTarget>> layers = new LinkedHashMap<>();
    for (AdapterTarget target : Adapters.targets(model, List.of("*"))) {
      layers.computeIfAbsent(target.layer(), layer -> new ArrayList<>()).add(target);
    }
    Map<String, WeightMap> byOurs = new TreeMap<>();
    maps.forEach(map -> byOurs.put(map.ours(), map));
    layers.forEach((layer, parts) -> add(layer, parts, byOurs.get(layer + WEIGHT)));
    maps.forEach(
        map -> {
          if (map.theirs().size() == 1) {
            parameters.put(map.theirs().get(0), map.ours());
          }
        });
    for (String ours : model.parameters().keySet()) {
      if (!byOurs.containsKey(ours) && !ours.contains(".adapters.")) {
        parameters.put(ours, ours);
      }
    }
  }

  private void add(String layer, List<AdapterTarget> parts, WeightMap map) {
    if (map == null) {
      parts.forEach(part -> targets.put(part.name(), part));
      return;
    }
    transposed |= map.transposed();
    if (map.theirs().size() == parts.size()) {
      for (int i = 0; i < parts.size(); i++) {
        targets.put(module(map.theirs().get(i)), parts.get(i));
      }
    } else if (map.theirs().size() == 1) {
      targets.put(module(map.theirs().get(0)), whole(layer, parts));
    } else {
      throw new IllegalStateException(
          layer + " joins " + parts.size() + " matrices, theirs are " + map.theirs());
    }
  }

  private static AdapterTarget whole(String layer, List<AdapterTarget> parts) {
    AdapterTarget first = parts.get(0);
    long rows = parts.stream().mapToLong(AdapterTarget::rows).sum();
    return new AdapterTarget(layer, 0, 0, rows, first.width(), first.frozen());
  }

  private static String module(String weight) {
    return weight.substring(0, weight.length() - WEIGHT.length());
  }

  /** Our matrices by the names of their modules, in the model's order. */
  Map<String, AdapterTarget> targets() {
    return targets;
  }

  /** Whether their matrices are stored transposed, as GPT-2's are. */
  boolean isTransposed() {
    return transposed;
  }

  /**
   * Finds the matrix of a module. Names may lack the prefix of the class that holds the model, or
   * have one more.
   *
   * @throws FormatException if the model has no such module
   */
  AdapterTarget target(String module) {
    AdapterTarget found = find(targets, module);
    if (found == null) {
      throw new FormatException(
          "the adapter updates the module "
              + FormatException.quote(module)
              + ", which the model does not have"
              + Nearest.hint(module, targets.keySet())
              + " (the adapter belongs to another model, or to a layer that adapters of this"
              + " library do not reach)");
    }
    return found;
  }

  /** Our parameter of a tensor of theirs; null if there is none. */
  String parameter(String theirs) {
    return find(parameters, theirs);
  }

  private static <T> T find(Map<String, T> all, String name) {
    T exact = all.get(name);
    if (exact != null) {
      return exact;
    }
    List<String> similar =
        all.keySet().stream()
            .filter(known -> known.endsWith("." + name) || name.endsWith("." + known))
            .toList();
    return similar.size() == 1 ? all.get(similar.get(0)) : null;
  }

  /** The name of theirs for a parameter of ours. */
  String theirs(String parameter) {
    return parameters.entrySet().stream()
        .filter(each -> each.getValue().equals(parameter))
        .map(Map.Entry::getKey)
        .findFirst()
        .orElse(parameter);
  }
}
