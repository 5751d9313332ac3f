package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jformer.adapt.AdaptedLayer;
import dev.jformer.adapt.Adapter;
import dev.jformer.adapt.AdapterTarget;
import dev.jformer.adapt.Adapters;
import dev.jformer.adapt.AffineChange;
import dev.jformer.adapt.LowRankFactors;
import dev.jformer.adapt.LowRankUpdate;
import dev.jformer.config.ConfigException;
import dev.jformer.io.AdapterPlace;
import dev.jformer.io.AtomicFile;
import dev.jformer.io.ConsistentRead;
import dev.jformer.io.FormatException;
import dev.jformer.io.SafetensorsFile;
import dev.jformer.model.Model;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Adapters in folders of Python's PEFT: {@code adapter_config.json} and {@code
 * adapter_model.safetensors}, with the names of the model's Hugging Face family, in both
 * directions. A folder of ours also says in {@code adapter_base.json} which model it belongs to.
 */
public final class PeftFolder {
  private static final String WEIGHTS = "adapter_model.safetensors";
  private static final String PREFIX = "base_model.model.";
  private static final String A = ".lora_A.weight";
  private static final String B = ".lora_B.weight";
  private static final String MAGNITUDE = ".lora_magnitude_vector";
  private static final String GAIN = ".affiner_gain";
  private static final String SHIFT = ".affiner_shift";

  private PeftFolder() {}

  /** Whether a folder holds an adapter, not a model. */
  public static boolean exists(Path folder) {
    return AdapterPlace.is(folder);
  }

  /**
   * Finds the model that an adapter belongs to.
   *
   * @throws FormatException if it does not exist
   */
  public static BaseModel base(Path folder) throws IOException {
    return BaseModel.find(folder);
  }

  private static PeftConfig config(Path folder) throws IOException {
    Path file = folder.resolve(PeftConfig.FILE);
    JsonNode node = SideFiles.read(file);
    if (!node.isObject()) {
      throw new ConfigException(file + " holds no JSON object: expected that of an adapter");
    }
    try {
      return PeftConfig.read(node);
    } catch (ConfigException e) {
      throw new ConfigException(file + ": " + e.getMessage(), e);
    }
  }

  /**
   * Loads the model that an adapter makes of its base. If the base has weights of floats the
   * adapter is merged into them; otherwise it stands beside them.
   *
   * @throws ConfigException if the base is missing or is another model than the adapter was trained
   *     with
   * @throws FormatException if the files are damaged
   */
  static Model load(Path folder) throws IOException {
    BaseModel base = base(folder);
    base.check(folder);
    Model model = withConfig(Models.load(base.folder()), base);
    try {
      attach(model, folder, Adapters.DEFAULT);
      if (Adapters.isMergeable(model)) {
        Adapters.merge(model, Adapters.DEFAULT);
      }
      model.train(false);
      return model;
    } catch (RuntimeException | IOException | Error e) {
      model.close();
      throw e;
    }
  }

  /** The model of the adapter's configuration with the base's weights. */
  private static Model withConfig(Model model, BaseModel base) {
    if (base.config() == null || base.config().equals(model.config())) {
      return model;
    }
    try (model;
        Scope scope = Scope.open()) {
      Tensor random = Random.state();
      Model made = base.config().build();
      Random.restore(random);
      made.copyFrom(model);
      return made;
    }
  }

  /**
   * Attaches an adapter to a model, beside others that it may have, and uses it.
   *
   * @param name for {@link Adapters#use}
   * @throws ConfigException if it is of a kind that is not supported
   * @throws FormatException if it belongs to another model, or its files are damaged
   */
  public static void attach(Model model, Path folder, String name) throws IOException {
    Path file = folder.resolve(WEIGHTS);
    if (!Files.exists(file)) {
      throw new ConfigException(
          folder + " has no " + WEIGHTS + ": save the adapter with safe_serialization");
    }
    try (Stored stored = read(folder, file);
        Scope scope = Scope.open()) {
      attach(model, stored.config(), stored.tensors(), name);
    } catch (FormatException | IllegalArgumentException e) {
      throw new FormatException(file + ": " + e.getMessage(), e);
    }
  }

  /** An adapter's files: the configuration and the tensors, which are kept until it is closed. */
  private record Stored(PeftConfig config, Map<String, Tensor> tensors) implements AutoCloseable {
    @Override
    public void close() {
      tensors.values().forEach(Tensor::close);
    }
  }

  private static Stored read(Path folder, Path file) throws IOException {
    return ConsistentRead.of(
        folder,
        List.of(WEIGHTS, PeftConfig.FILE),
        () -> {
          Map<String, Tensor> tensors = new TreeMap<>();
          try (SafetensorsFile stored = SafetensorsFile.open(file);
              Scope scope = Scope.open()) {
            stored.names().forEach(each -> tensors.put(each, stored.tensor(each).copy().keep()));
          }
          return new Stored(config(folder), tensors);
        });
  }

  private static void attach(
      Model model, PeftConfig config, Map<String, Tensor> stored, String name) {
    Set<String> unused = new TreeSet<>(stored.keySet());
    List<String> modules =
        stored.keySet().stream()
            .filter(key -> key.startsWith(PREFIX) && key.endsWith(A))
            .map(key -> key.substring(PREFIX.length(), key.length() - A.length()))
            .toList();
    PeftNames names = PeftNames.having(model, modules);
    Map<AdapterTarget, LowRankFactors> updates = new LinkedHashMap<>();
    for (String module : modules) {
      AdapterTarget target = names.target(module);
      if (updates.put(target, factors(config, stored, module, unused)) != null) {
        throw new FormatException("two updates of " + target.name());
      }
    }
    Map<String, Parameter> parameters = model.parameters();
    Map<String, String> whole = new TreeMap<>();
    for (String key : unused) {
      String theirs = key.startsWith(PREFIX) ? key.substring(PREFIX.length()) : key;
      String ours = config.saved().isEmpty() ? null : names.parameter(theirs);
      if (ours == null) {
        throw new FormatException(
            "the tensor "
                + FormatException.oneLine(key)
                + " is no update of a linear layer of this model: only lora_A, lora_B and"
                + " lora_magnitude_vector are supported");
      }
      if (!parameters.get(ours).accepts(stored.get(key).shape())) {
        throw new FormatException(
            "the tensor "
                + FormatException.oneLine(key)
                + " is "
                + stored.get(key).shape()
                + ", but the model's is "
                + parameters.get(ours).value().shape()
                + ": the adapter belongs to another model");
      }
      whole.put(ours, key);
    }
    Adapters.attach(model, name, updates, config.dropout());
    whole.forEach((ours, key) -> parameters.get(ours).copyFrom(stored.get(key)));
  }

  private static LowRankFactors factors(
      PeftConfig config, Map<String, Tensor> stored, String module, Set<String> unused) {
    Tensor a = matrix(tensor(stored, PREFIX + module + A, unused));
    Tensor b = matrix(tensor(stored, PREFIX + module + B, unused));
    String norms = PREFIX + module + MAGNITUDE;
    if (!stored.containsKey(norms) && stored.containsKey(norms + ".weight")) {
      norms += ".weight"; // of earlier versions
    }
    Tensor magnitude = config.dora() ? tensor(stored, norms, unused) : null;
    if (magnitude != null) {
      magnitude = magnitude.reshape(-1);
    }
    AffineChange affine = null;
    if (config.affine()) {
      String gain = PREFIX + module + GAIN;
      affine =
          new AffineChange(
              stored.containsKey(gain) ? tensor(stored, gain, unused) : null,
              tensor(stored, PREFIX + module + SHIFT, unused));
    }
    LowRankFactors factors = new LowRankFactors(a, b, config.scale(module), magnitude, affine);
    if (factors.rank() != config.rank(module)) {
      throw new FormatException(
          "the update of "
              + FormatException.oneLine(module)
              + " has rank "
              + factors.rank()
              + ", but "
              + PeftConfig.FILE
              + " says "
              + config.rank(module)
              + ": the files do not belong together");
    }
    return factors;
  }

  /** The kernels of a convolution as the rows of a matrix. */
  private static Tensor matrix(Tensor stored) {
    return stored.rank() == 4 ? stored.flatten(1, 3) : stored;
  }

  private static Tensor tensor(Map<String, Tensor> stored, String name, Set<String> unused) {
    if (!stored.containsKey(name)) {
      throw new FormatException("the tensor " + FormatException.oneLine(name) + " is missing");
    }
    unused.remove(name);
    Tensor tensor = stored.get(name).to(DType.FLOAT32);
    if (!tensor.isFinite().all()) {
      throw new FormatException(
          "the tensor " + FormatException.oneLine(name) + " holds numbers that are not finite");
    }
    return tensor;
  }

  /**
   * Saves an adapter of a model, so that Python's peft loads it if the model belongs to a Hugging
   * Face family. Weights of the model that are not fixed, such as a new output layer, are saved
   * with it.
   *
   * @param name of the adapter in the model
   * @param kind what the adapter is, for the configuration; null if unknown
   * @param base the model that it belongs to; null if unknown
   * @param folder an existing folder, whose adapter is replaced
   */
  public static void save(Model model, String name, Adapter kind, BaseModel base, Path folder)
      throws IOException {
    try (Scope scope = Scope.open()) {
      PeftNames names = PeftNames.of(model, base == null ? null : base.folder());
      Map<String, LowRankFactors> updates = updates(model, name, names);
      if (updates.isEmpty()) {
        throw new IllegalArgumentException("the model has no adapter '" + name + "' to save");
      }
      Map<String, Tensor> tensors = new LinkedHashMap<>();
      updates.forEach(
          (module, update) -> {
            String key = PREFIX + module;
            AdapterTarget target = names.targets().get(module);
            tensors.put(key + A, target.kernels(update.a()));
            tensors.put(key + B, target.pixels(update.b()));
            if (update.magnitude() != null) {
              tensors.put(key + MAGNITUDE, magnitude(target, update.magnitude()));
            }
            if (update.affine() != null) {
              tensors.put(key + SHIFT, update.affine().shift());
              if (update.affine().gain() != null) {
                tensors.put(key + GAIN, update.affine().gain());
              }
            }
          });
      Set<String> whole = new TreeSet<>();
      model
          .parameters()
          .forEach(
              (ours, parameter) -> {
                if (parameter.isTrainable()
                    && !parameter.isFixed()
                    && !ours.contains(".adapters.")) {
                  String theirs = names.theirs(ours);
                  int dot = theirs.lastIndexOf('.');
                  whole.add(dot < 0 ? theirs : theirs.substring(0, dot));
                  tensors.put(PREFIX + theirs, parameter.value().detach());
                }
              });
      PeftConfig config = describe(model, name, kind, names, updates, whole, base);
      AtomicFile.write(
          folder.resolve(PeftConfig.FILE), Models.utf8(config.write().toPrettyString() + "\n"));
      if (base != null) {
        base.withRanks(ranks(model, name)).write(folder);
      }
      SafetensorsFile.write(folder.resolve(WEIGHTS), tensors, Map.of("format", "pt"));
    }
  }

  /** PEFT's shape of the norms: [out], or [1, out, 1, 1] for a convolution. */
  private static Tensor magnitude(AdapterTarget target, Tensor norms) {
    Tensor kernels = target.pixels(norms.unsqueeze(1));
    return kernels.rank() == 2 ? norms : kernels.transpose(0, 1);
  }

  private static Map<String, Integer> ranks(Model model, String name) {
    Map<String, Integer> ranks = new LinkedHashMap<>();
    for (AdapterTarget target : Adapters.targets(model, List.of("*"))) {
      AdaptedLayer layer = Adapters.layers(model).get(target.layer());
      if (layer != null) {
        layer.updates(name).stream()
            .filter(part -> part.start() == target.start())
            .forEach(part -> ranks.put(target.name(), part.rank()));
      }
    }
    return ranks;
  }

  /** An adapter's updates by the names of their modules. */
  private static Map<String, LowRankFactors> updates(Model model, String name, PeftNames names) {
    Map<String, AdaptedLayer> layers = Adapters.layers(model);
    Map<String, LowRankFactors> updates = new LinkedHashMap<>();
    names
        .targets()
        .forEach(
            (module, target) -> {
              AdaptedLayer layer = layers.get(target.layer());
              List<LowRankUpdate> parts =
                  layer == null
                      ? List.of()
                      : layer.updates(name).stream()
                          .filter(part -> part.start() >= target.start())
                          .filter(
                              part -> part.start() + part.rows() <= target.start() + target.rows())
                          .toList();
              if (!parts.isEmpty()) {
                updates.put(module, JoinedUpdates.of(target, parts));
              }
            });
    return updates;
  }

  private static PeftConfig describe(
      Model model,
      String name,
      Adapter kind,
      PeftNames names,
      Map<String, LowRankFactors> updates,
      Set<String> whole,
      BaseModel base) {
    boolean root = kind != null && kind.type().equals("rslora");
    int rank = updates.values().stream().mapToInt(LowRankFactors::rank).max().orElseThrow();
    LowRankFactors widest =
        updates.values().stream().filter(u -> u.rank() == rank).findFirst().orElseThrow();
    double alpha = alpha(widest, root);
    Map<String, Integer> ranks = new LinkedHashMap<>();
    Map<String, Double> alphas = new LinkedHashMap<>();
    updates.forEach(
        (module, update) -> {
          if (update.rank() != rank) {
            ranks.put(module, update.rank());
          }
          if (alpha(update, root) != alpha) {
            alphas.put(module, alpha(update, root));
          }
        });
    double dropout =
        Adapters.layers(model).values().stream()
            .filter(layer -> layer.adapters().contains(name))
            .mapToDouble(layer -> layer.dropout(name))
            .findFirst()
            .orElse(0);
    return new PeftConfig(
        rank,
        alpha,
        ranks,
        alphas,
        dropout,
        root,
        updates.values().stream().anyMatch(update -> update.magnitude() != null),
        updates.values().stream().anyMatch(update -> update.affine() != null),
        kind != null && kind.type().equals("eva") ? "eva" : "true",
        shortened(updates.keySet(), names.targets().keySet()),
        List.copyOf(whole),
        base == null ? null : base.folder().toString());
  }

  private static double alpha(LowRankFactors update, boolean root) {
    double rank = root ? Math.sqrt(update.rank()) : update.rank();
    double alpha = update.scale() * rank;
    double round = Math.rint(alpha * 1e6) / 1e6; // 8.000000000000002 would be a pattern of its own
    return Math.abs(round - alpha) < 1e-9 ? round : alpha;
  }

  /** Last names instead of full ones, where all modules of that last name are updated. */
  private static List<String> shortened(Set<String> updated, Set<String> all) {
    Map<String, List<String>> byLast = new TreeMap<>();
    for (String module : updated) {
      String last = module.substring(module.lastIndexOf('.') + 1);
      byLast.computeIfAbsent(last, name -> new ArrayList<>()).add(module);
    }
    List<String> targets = new ArrayList<>();
    byLast.forEach(
        (last, modules) -> {
          long others = all.stream().filter(module -> module.endsWith("." + last)).count();
          targets.addAll(others == modules.size() ? List.of(last) : modules);
        });
    return targets;
  }
}
