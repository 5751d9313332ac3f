package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.config.ConfigException;
import dev.jformer.io.AtomicFile;
import dev.jformer.io.FormatException;
import dev.jformer.io.Weights;
import dev.jformer.model.CausalLm;
import dev.jformer.nn.Parameter;
import dev.jformer.position.Learned;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Shape;
import dev.jformer.tensor.Tensor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** Models in the layout of Hugging Face's transformers: GPT-2 and Llama. */
public final class HuggingFace {
  private static final List<Family> FAMILIES = List.of(new Gpt2(), new Llama());

  private HuggingFace() {}

  /**
   * Loads the weights of a configuration of theirs into a model of ours; see {@link Models#load}.
   */
  static CausalLm load(Path folder, JsonNode config) throws IOException {
    Family family = family(config.path("model_type").asText());
    CausalLm.Config ours = family.read(config);
    try (Weights weights = Weights.open(folder)) {
      String prefix =
          weights.names().stream().anyMatch(n -> n.startsWith("h.")) ? "transformer." : "";
      Set<String> unused = new HashSet<>(weights.names());
      Models.checkLayers(ours, weights, folder);
      check(family, ours, weights, prefix, folder);
      CausalLm model = ours.build();
      Map<String, Parameter> parameters = model.parameters();
      for (WeightMap map : family.weights(ours)) {
        Tensor value =
            map.toOurs(
                name -> {
                  String stored = stored(name, prefix);
                  unused.remove(stored);
                  return weights.tensor(stored);
                });
        Shape expected = parameters.get(map.ours()).value().shape();
        if (!value.shape().equals(expected)) {
          throw new FormatException(
              folder
                  + ": the tensor "
                  + map.theirs()
                  + " makes "
                  + value.shape()
                  + ", but the configuration wants "
                  + expected);
        }
        parameters.get(map.ours()).copyFrom(value);
      }
      unused.removeIf(family::isIgnored);
      if (!unused.isEmpty()) {
        throw new FormatException(
            folder
                + ": the tensor "
                + unused.stream().sorted().findFirst().orElseThrow()
                + " has no place in a "
                + family.modelType()
                + " of this configuration");
      }
      model.train(false);
      return model;
    }
  }

  /**
   * Compares sizes before any memory is set aside: a configuration may ask for more than there is.
   */
  private static void check(
      Family family, CausalLm.Config ours, Weights weights, String prefix, Path folder) {
    for (WeightMap map : family.weights(ours)) {
      for (String name : map.theirs()) {
        if (!weights.names().contains(stored(name, prefix))) {
          throw new FormatException(
              folder + ": the tensor " + stored(name, prefix) + " is missing");
        }
      }
    }
    String embedding = family.weights(ours).get(0).theirs().get(0);
    Shape table = weights.shape(stored(embedding, prefix));
    Shape wanted = Shape.of(ours.vocab(), ours.width());
    if (!table.equals(wanted)) {
      throw new FormatException(
          folder
              + ": the tensor "
              + stored(embedding, prefix)
              + " is "
              + table
              + ", but the configuration makes it "
              + wanted);
    }
    if (ours.position() instanceof Learned.Config) {
      Shape positions = weights.shape(stored("transformer.wpe.weight", prefix));
      if (positions.size(0) != ours.length()) {
        throw new FormatException(
            folder
                + ": there are "
                + positions.size(0)
                + " positions, but n_positions is "
                + ours.length());
      }
    }
  }

  /** Files of the bare GPT-2, without its output layer, leave the prefix out. */
  private static String stored(String name, String prefix) {
    return name.startsWith(prefix) ? name.substring(prefix.length()) : name;
  }

  private static Family family(String modelType) {
    return FAMILIES.stream()
        .filter(family -> family.modelType().equals(modelType))
        .findFirst()
        .orElseThrow(
            () ->
                new ConfigException(
                    "model_type is '"
                        + modelType
                        + "', which is not supported: only "
                        + FAMILIES.stream().map(Family::modelType).collect(Collectors.joining(", "))
                        + " are"));
  }

  /**
   * Saves a model so that Hugging Face's transformers loads it: as a GPT-2 or a Llama, whichever it
   * is one of.
   *
   * @throws ConfigException if it is neither; the message says what differs
   */
  public static void save(CausalLm model, Path folder) throws IOException {
    Family family =
        model.config().position() instanceof Learned.Config ? FAMILIES.get(0) : FAMILIES.get(1);
    ObjectNode config = family.write(model.config());
    Files.createDirectories(folder);
    AtomicFile.write(
        folder.resolve(Models.CONFIG),
        (config.toPrettyString() + "\n").getBytes(StandardCharsets.UTF_8));
    try (Scope scope = Scope.open()) {
      Map<String, Parameter> parameters = model.parameters();
      Map<String, Tensor> tensors = new LinkedHashMap<>();
      for (WeightMap map : family.weights(model.config())) {
        List<Tensor> parts = map.toTheirs(parameters.get(map.ours()).value().detach());
        for (int i = 0; i < parts.size(); i++) {
          tensors.put(map.theirs().get(i), parts.get(i));
        }
      }
      Weights.save(folder, tensors, Map.of("format", "pt"));
    }
  }
}
