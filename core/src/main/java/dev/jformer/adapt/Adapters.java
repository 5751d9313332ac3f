package dev.jformer.adapt;

import dev.jformer.config.Nearest;
import dev.jformer.model.Model;
import dev.jformer.nn.Foldable;
import dev.jformer.nn.JoinedLayers;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Module;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.quantized.QuantizedWeight;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * Attaches adapters to models, switches between them, and merges them into the weights.
 *
 * <pre>{@code
 * Adapters.attach(model, new Lora(new AdapterSettings(16)), "formal", null);
 * Adapters.attach(model, new Lora(new AdapterSettings(16)), "casual", null);
 * Adapters.use(model, "casual");
 * }</pre>
 */
public final class Adapters {
  /** The name of an adapter that is the only one of its model. */
  public static final String DEFAULT = "default";

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-]+");

  private Adapters() {}

  /**
   * Finds the matrices that adapters can update: those of linear layers and convolutions, and each
   * of those that a layer joins.
   *
   * @param patterns as in {@link AdapterSettings#targets}
   * @throws IllegalArgumentException if a pattern matches nothing; the message shows near names
   */
  public static List<AdapterTarget> targets(Model model, List<String> patterns) {
    List<AdapterTarget> all = all(model);
    TargetPattern.check(model, patterns, all);
    return all.stream().filter(target -> TargetPattern.matches(patterns, target)).toList();
  }

  private static List<AdapterTarget> all(Model model) {
    Map<String, Module> modules = model.modules();
    List<AdapterTarget> all = new ArrayList<>();
    modules.forEach(
        (name, module) -> {
          Layer layer =
              module instanceof AdaptedLayer adapted
                  ? adapted.frozen()
                  : module instanceof Layer plain ? plain : null;
          if (layer != null && FrozenWeight.canAdapt(layer)) {
            all.addAll(parts(modules, name, layer));
          }
        });
    return all;
  }

  private static List<AdapterTarget> parts(Map<String, Module> modules, String name, Layer layer) {
    int dot = name.lastIndexOf('.');
    Module parent = modules.get(dot < 0 ? "" : name.substring(0, dot));
    List<Long> rows =
        parent instanceof JoinedLayers joined
            ? joined.joinedRows().get(name.substring(dot + 1))
            : null;
    FrozenWeight weight = FrozenWeight.of(layer);
    long width = weight.width();
    if (rows == null) {
      return List.of(new AdapterTarget(name, 0, 0, weight.rows(), width, layer));
    }
    List<AdapterTarget> parts = new ArrayList<>();
    long start = 0;
    for (long count : rows) {
      parts.add(new AdapterTarget(name, parts.size(), start, count, width, layer));
      start += count;
    }
    return parts;
  }

  /**
   * Attaches a new adapter to a model, freezes all other weights, and uses the adapter.
   *
   * @param name of letters, digits, {@code -} and {@code _}
   * @param data for an adapter that {@linkplain Adapter#needsData needs it}
   * @throws IllegalArgumentException if a pattern matches nothing, the rank is above that of a
   *     matrix, or the model has an adapter of that name
   */
  public static void attach(Model model, Adapter adapter, String name, AdaptationData data) {
    AdapterSettings settings = adapter.settings();
    if (adapter.needsData() && data == null) {
      throw new IllegalArgumentException(
          "the adapter '" + adapter.type() + "' begins with what layers see: it needs data");
    }
    List<AdapterTarget> targets = targets(model, settings.targets());
    targets.forEach(target -> checkRank(target, settings.rank()));
    boolean changes = adapter.subtractsStart();
    if (changes && targets.stream().anyMatch(t -> !FrozenWeight.of(t.frozen()).isPlain())) {
      throw new IllegalArgumentException(
          "the adapter '"
              + adapter.type()
              + "' changes the frozen weights, which must be of floats: these are of few bits");
    }
    if (!names(model).isEmpty() && (changes || hasChanged(model))) {
      throw new IllegalArgumentException(
          "the adapter 'pissa' changes the frozen weights, so no other adapter can stand beside"
              + " it");
    }
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Map<AdapterTarget, LowRankFactors> starts = adapter.begin(targets, data);
      add(model, name, starts, settings.dropout(), changes);
    }
  }

  private static boolean hasChanged(Model model) {
    return model.parameters().keySet().stream().anyMatch(name -> name.endsWith(".startA"));
  }

  private static void checkRank(AdapterTarget target, int rank) {
    long most = Math.min(target.rows(), target.width());
    if (rank > most) {
      throw new IllegalArgumentException(
          "adapter.rank is "
              + rank
              + ", but the matrix "
              + target
              + " has rank "
              + most
              + " at most: choose a lower rank, or leave the layer out of adapter.targets");
    }
  }

  /**
   * Attaches an adapter with given values, freezes all other weights, and uses the adapter.
   *
   * @param updates by the matrices that they update
   * @param dropout share of the inputs of the updates that training sets to zero
   */
  public static void attach(
      Model model, String name, Map<AdapterTarget, LowRankFactors> updates, double dropout) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      add(model, name, updates, dropout, false);
    }
  }

  private static void add(
      Model model,
      String name,
      Map<AdapterTarget, LowRankFactors> updates,
      double dropout,
      boolean subtract) {
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException(
          "an adapter's name is '" + name + "': expected letters, digits, '-' and '_'");
    }
    if (names(model).contains(name)) {
      throw new IllegalArgumentException(
          "the model has an adapter named '" + name + "' already: choose another name");
    }
    if (updates.isEmpty()) {
      throw new IllegalArgumentException("the adapter '" + name + "' updates no layer");
    }
    updates.forEach(Adapters::checkShapes);
    fix(model, true);
    Map<String, List<LayerUpdate.Part>> layers = new LinkedHashMap<>();
    Map<String, TreeMap<Long, LayerUpdate.Part>> sorted = new LinkedHashMap<>();
    updates.forEach(
        (target, values) -> {
          LayerUpdate.Part part = new LayerUpdate.Part(target.part(), target.start(), values);
          sorted.computeIfAbsent(target.layer(), layer -> new TreeMap<>()).put(part.start(), part);
          if (subtract) {
            Tensor rows = target.matrix();
            rows.copy_(rows.sub(values.product()));
          }
        });
    sorted.forEach((layer, parts) -> layers.put(layer, List.copyOf(parts.values())));
    layers.forEach(
        (layer, parts) ->
            adapted(model, layer).add(name, new LayerUpdate(parts, dropout, subtract)));
    use(model, name);
  }

  private static void checkShapes(AdapterTarget target, LowRankFactors values) {
    if (values.a().size(1) != target.width() || values.b().size(0) != target.rows()) {
      throw new IllegalArgumentException(
          "the adapter's update of "
              + target.name()
              + " is ["
              + values.b().size(0)
              + ", "
              + values.a().size(1)
              + "], but the matrix is ["
              + target.rows()
              + ", "
              + target.width()
              + "]: the adapter belongs to another model");
    }
  }

  private static AdaptedLayer adapted(Model model, String layer) {
    Module found = model.modules().get(layer);
    if (found instanceof AdaptedLayer adapted) {
      return adapted;
    }
    AdaptedLayer adapted = AdaptedLayer.of((Layer) found);
    model.replace(layer, adapted);
    return adapted;
  }

  /** Fixes all weights but those of adapters, or frees them. */
  private static void fix(Model model, boolean on) {
    Set<Parameter> own = Collections.newSetFromMap(new IdentityHashMap<>());
    Set<Parameter> coded = Collections.newSetFromMap(new IdentityHashMap<>());
    model
        .modules()
        .values()
        .forEach(
            module -> {
              if (module instanceof LayerUpdate) {
                own.addAll(module.parameters().values());
              }
              Module layer = module instanceof AdaptedLayer adapted ? adapted.frozen() : module;
              if (layer instanceof QuantizedWeight) {
                coded.addAll(layer.parameters().values());
              }
            });
    model
        .parameters()
        .values()
        .forEach(
            parameter -> {
              if (!own.contains(parameter)
                  && (parameter.isTrainable() || coded.contains(parameter))) {
                parameter.fix(on);
              }
            });
  }

  /** The names of the adapters that are attached to a model. */
  public static Set<String> names(Model model) {
    Set<String> names = new LinkedHashSet<>();
    layers(model).values().forEach(layer -> names.addAll(layer.adapters()));
    return names;
  }

  /** The layers that have adapters, by their dotted names. */
  public static Map<String, AdaptedLayer> layers(Model model) {
    Map<String, AdaptedLayer> layers = new LinkedHashMap<>();
    model
        .modules()
        .forEach(
            (name, module) -> {
              if (module instanceof AdaptedLayer adapted) {
                layers.put(name, adapted);
              }
            });
    return layers;
  }

  /**
   * Selects the adapter that the model uses from now on. Of all adapters only this one is trained.
   *
   * @param name null for none: the frozen model alone
   * @throws IllegalArgumentException if the model has no such adapter
   */
  public static void use(Model model, String name) {
    if (name != null) {
      checkName(model, name);
    }
    layers(model).values().forEach(layer -> layer.use(name));
  }

  private static void checkName(Model model, String name) {
    Set<String> names = names(model);
    if (!names.contains(name)) {
      throw new IllegalArgumentException(
          "the model has no adapter '"
              + name
              + "'"
              + Nearest.hint(name, names)
              + ": it has "
              + (names.isEmpty() ? "none" : names));
    }
  }

  /**
   * Whether all weights with adapters are of floats, to which {@link #merge} adds updates, and all
   * updates are linear.
   */
  public static boolean isMergeable(Model model) {
    return layers(model).values().stream()
        .allMatch(
            layer ->
                FrozenWeight.of(layer.frozen()).isPlain()
                    && layer.adapters().stream().allMatch(layer::isLinear));
  }

  /**
   * Adds an adapter's updates to the weights and removes all adapters: the model is a plain one
   * again, and all its weights can be trained.
   *
   * <p>Weights of few bits that {@linkplain Foldable fold} into floats become floats with it.
   * Others of the model do not: fold it then.
   *
   * @throws IllegalArgumentException if the model has no such adapter, or its weights are of few
   *     bits that do not fold; it is then as before
   */
  public static void merge(Model model, String name) {
    checkName(model, name);
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Map<String, Layer> merged = new LinkedHashMap<>();
      layers(model).forEach((layer, adapted) -> merged.put(layer, adapted.merged(name)));
      merged.forEach((layer, plain) -> model.replace(layer, plain).close());
    }
    fix(model, false);
  }

  /**
   * Removes all adapters: the model is what it was before the first one was attached, and all its
   * weights can be trained.
   */
  public static void detach(Model model) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      layers(model)
          .forEach(
              (name, adapted) -> {
                adapted.restore();
                model.replace(name, adapted.frozen());
              });
    }
    fix(model, false);
  }
}
