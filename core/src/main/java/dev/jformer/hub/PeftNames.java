package dev.jformer.hub;

import dev.jformer.adapt.AdapterTarget;
import dev.jformer.adapt.Adapters;
import dev.jformer.config.Nearest;
import dev.jformer.io.FormatException;
import dev.jformer.model.Model;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
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

  /**
   * Finds the names that a base has for a model's matrices.
   *
   * @param base null if unknown
   */
  static PeftNames of(Model model, Path base) throws IOException {
    boolean folder = base != null && Files.isDirectory(base);
    String type =
        folder ? SideFiles.read(base.resolve(Models.CONFIG)).path("model_type").textValue() : null;
    Set<String> stored = folder ? SafetensorsNames.in(base) : Set.of();
    List<List<WeightMap>> all = HuggingFace.maps(model, type, stored);
    return new PeftNames(model, all.isEmpty() ? List.of() : all.get(0));
  }

  /**
   * Finds the names of a model's matrices among which these modules are, as far as any has them.
   */
  static PeftNames having(Model model, Collection<String> modules) {
    List<List<WeightMap>> all = new ArrayList<>(HuggingFace.maps(model, null, Set.of()));
    all.add(List.of());
    PeftNames best = null;
    long most = -1;
    for (List<WeightMap> maps : all) {
      PeftNames names = new PeftNames(model, maps);
      long known = modules.stream().filter(m -> find(names.targets, m) != null).count();
      if (known > most) {
        best = names;
        most = known;
      }
    }
    return best;
  }

  /**
   * Finds the names of a model.
   *
   * @param maps the weights of its family; empty if it belongs to none
   */
  private PeftNames(Model model, List<WeightMap> maps) {
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
