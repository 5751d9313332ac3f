package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.config.ConfigException;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.io.FormatException;
import dev.jformer.io.Weights;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.position.LearnedPosition;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Models in the layout of Hugging Face's transformers: language models of several families, and
 * encoders.
 */
public final class HuggingFace {
  private static final Family.Written GPT2 = new Gpt2();
  private static final Family.Written LLAMA = new Llama();

  /** The families that can be saved; a model is saved as one of the first that can express it. */
  private static final List<Family.Written> WRITTEN =
      List.of(
          new Opt(),
          GPT2,
          LLAMA,
          new Mistral(),
          new Qwen2(),
          new Qwen3(),
          new Gemma2(),
          new Gemma3(),
          new Phi3(),
          new GptNeox());

  private static final List<Family<?>> ENCODERS =
      List.of(
          new Bert(),
          new Roberta("roberta"),
          new Roberta("xlm-roberta"),
          new DistilBert(),
          new MpNet(),
          new ModernBert(),
          new Vit("vit"),
          new Vit("deit"));

  private static final List<Family<?>> FAMILIES =
      Stream.<Family<?>>concat(WRITTEN.stream(), ENCODERS.stream()).toList();

  private HuggingFace() {}

  /** Loads a model of theirs as one of ours; see {@link Models#load}. */
  static Model load(Path folder, JsonNode config) throws IOException {
    try (Weights weights = Weights.open(folder)) {
      return load(folder, config, CompiledNames.removed(StoredWeights.of(weights)));
    }
  }

  /**
   * Loads a model of theirs whose weights are stored in any format.
   *
   * @param path its folder or file
   */
  static Model load(Path path, JsonNode config, StoredWeights weights) throws IOException {
    return load(family(config.path("model_type").asText()), path, config, weights);
  }

  /** Converts a configuration of theirs to ours; throws an exception if it is not supported. */
  static Model.Config check(Path path, JsonNode config) {
    return family(config.path("model_type").asText()).read(config, path, Set.of());
  }

  /**
   * Finds the bytes of a model's weights in memory.
   *
   * @param path its folder or file
   * @throws FormatException if a weight is missing
   */
  static long bytes(Path path, JsonNode config, StoredWeights weights) {
    return bytes(family(config.path("model_type").asText()), path, config, weights);
  }

  private static <C extends Model.Config> long bytes(
      Family<C> family, Path path, JsonNode config, StoredWeights weights) {
    Set<String> names = weights.names();
    List<WeightMap> maps = maps(family, family.read(config, path, names), names);
    for (WeightMap map : maps) {
      for (String name : map.theirs()) {
        if (!names.contains(name)) {
          throw new FormatException("the tensor " + weights.spelled(name) + " is missing");
        }
      }
    }
    return new FewBits(weights).bytes(maps);
  }

  private static <C extends Model.Config> List<WeightMap> maps(
      Family<C> family, C ours, Set<String> names) {
    return family.weights(ours).stream()
        .map(map -> map.renamed(name -> family.spelled(name, names)))
        .toList();
  }

  private static <C extends Model.Config> Model load(
      Family<C> family, Path path, JsonNode config, StoredWeights weights) throws IOException {
    Set<String> names = weights.names();
    C ours = family.read(config, path, names);
    Blueprint blueprint = Blueprint.of(ours, names.size());
    List<WeightMap> maps = maps(family, ours, names);
    Model.Config held = new FewBits(weights).config(ours, maps);
    Model model = new Loader(path, weights).load(held, blueprint, maps, family::isIgnored);
    try {
      family.complete(model, path);
      return model;
    } catch (IOException | RuntimeException | Error e) {
      model.close();
      throw e;
    }
  }

  private static Family<?> family(String modelType) {
    return FAMILIES.stream()
        .filter(family -> family.modelType().equals(modelType))
        .findFirst()
        .orElseThrow(
            () ->
                new ConfigException(
                    "model_type is "
                        + FormatException.quote(modelType)
                        + ", which is not supported: only "
                        + FAMILIES.stream()
                            .map(Family::modelType)
                            .sorted()
                            .collect(Collectors.joining(", "))
                        + " are"));
  }

  /**
   * Saves a model so that Hugging Face's transformers loads it, in the first family that can
   * express it, with the token that ends texts by its tokenizer.
   *
   * @param tokenizer saved with it; null if the model has no text
   */
  public static void save(CausalLm model, Tokenizer tokenizer, Path folder) throws IOException {
    Set<Integer> ends =
        tokenizer == null || tokenizer.endOfText().isEmpty()
            ? Set.of()
            : Set.of(tokenizer.endOfText().getAsInt());
    save(model, tokenizer, ends, folder);
  }

  /**
   * Saves a model so that Hugging Face's transformers loads it, in the first family that can
   * express it. Weights in few bits, as those of GGUF files, become floats. An earlier model in the
   * folder is replaced as in {@link Models#save}.
   *
   * @param tokenizer saved with it; null if the model has no text
   * @param ends the tokens that end a text; the first also begins one unless the tokenizer has a
   *     token for that
   * @throws ConfigException if no family can express the model, or the tokenizer has more ids than
   *     the model; the message says what differs
   * @throws IOException if it cannot be written
   */
  public static void save(
      CausalLm model, Tokenizer tokenizer, Collection<Integer> ends, Path folder)
      throws IOException {
    Written written = written(model, tokenizer);
    ObjectNode config = written.config();
    TransformersFiles files = new TransformersFiles(tokenizer, ends, model.config().length());
    files.putEnds(config);
    Map<String, byte[]> companions = new HashMap<>();
    companions.put(Models.CONFIG, content(config));
    companions.put(SideFiles.GENERATION, content(files.generation()));
    if (tokenizer != null) {
      companions.put(Tokenizer.FILE, tokenizer.json());
      companions.put(SideFiles.TOKENIZER_CONFIG, content(files.tokenizerConfig()));
    }
    try (Scope scope = Scope.open()) {
      Models.save(folder, written.tensors(), companions);
    }
  }

  /**
   * A model of ours as one of theirs.
   *
   * @param config their configuration
   * @param values our weights by name
   */
  record Written(ObjectNode config, List<WeightMap> maps, Function<String, Tensor> values) {
    /** Their weights by name, in the innermost open scope. */
    Map<String, Tensor> tensors() {
      Map<String, Tensor> tensors = new LinkedHashMap<>();
      for (WeightMap map : maps) {
        List<Tensor> parts = map.toTheirs(values.apply(map.ours()));
        for (int i = 0; i < parts.size(); i++) {
          tensors.put(map.theirs().get(i), parts.get(i));
        }
      }
      return tensors;
    }
  }

  /**
   * Converts a model to the first family that can express it.
   *
   * @param tokenizer to be saved with it; null for none
   * @throws ConfigException if there is none, or the tokenizer has more ids than the model
   */
  static Written written(CausalLm model, Tokenizer tokenizer) {
    CausalLm.Config ours = FewBits.plain(model.config());
    if (tokenizer != null && tokenizer.vocabularySize() > ours.vocab()) {
      throw new ConfigException(
          "the tokenizer has "
              + tokenizer.vocabularySize()
              + " ids, but the model's vocabulary has "
              + ours.vocab());
    }
    Blueprint.of(model.config(), model.parameters().size()).check(model);
    Family.Written nearest = ours.position() instanceof LearnedPosition.Config ? GPT2 : LLAMA;
    ConfigException reason = null;
    for (Family.Written family : WRITTEN) {
      try {
        return new Written(described(family, ours), family.weights(ours), FewBits.values(model));
      } catch (ConfigException | IllegalArgumentException e) {
        reason = family == nearest ? new ConfigException(e.getMessage(), e) : reason;
      }
    }
    throw reason;
  }

  /** The configuration of a model in a family, from which it can be read again. */
  private static ObjectNode described(Family.Written family, CausalLm.Config ours) {
    ObjectNode config = family.write(ours);
    new Mismatch.Check(family.title()).same(ours, family.read(config));
    return config;
  }

  /**
   * The weights of a model under the names of each family that has its structure. Layers may store
   * their weights in few bits, and have adapters.
   *
   * @param modelType of the family to put first; null if unknown
   * @param names of the weights in the model's files, by which a family spells them; empty if
   *     unknown
   */
  static List<List<WeightMap>> maps(Model model, String modelType, Set<String> names) {
    List<List<WeightMap>> all = new ArrayList<>();
    for (Family<?> family : FAMILIES) {
      weights(family, model)
          .map(maps -> maps.stream().map(m -> m.renamed(n -> family.spelled(n, names))).toList())
          .ifPresent(maps -> all.add(family.modelType().equals(modelType) ? 0 : all.size(), maps));
    }
    return all;
  }

  private static <C extends Model.Config> Optional<List<WeightMap>> weights(
      Family<C> family, Model model) {
    Set<String> weights =
        model.parameters().keySet().stream()
            .filter(name -> !name.endsWith(".scale") && !name.endsWith(".offset"))
            .filter(name -> !name.contains(".adapters."))
            .collect(Collectors.toSet());
    try {
      @SuppressWarnings("unchecked") // of another class, it is refused by what follows
      List<WeightMap> maps = family.weights((C) model.config());
      Set<String> ours = maps.stream().map(WeightMap::ours).collect(Collectors.toSet());
      return ours.equals(weights) ? Optional.of(maps) : Optional.empty();
    } catch (ClassCastException e) {
      return Optional.empty();
    }
  }

  /**
   * Saves a language model, an encoder or a classifier of images so that Hugging Face's
   * transformers loads it, in the first family that can express it.
   *
   * @param tokenizer saved with it; null if the model has no text
   * @param ends the tokens that end a text, for language models
   * @param labels the names of the classes; empty if there are none
   * @return the name of the pipeline of transformers that uses the model
   * @throws ConfigException if no family can express the model; the message says what differs
   * @throws IOException if it cannot be written
   */
  public static String export(
      Model model, Tokenizer tokenizer, Collection<Integer> ends, List<String> labels, Path folder)
      throws IOException {
    if (model instanceof CausalLm language) {
      save(language, tokenizer, ends, folder);
      return "text-generation";
    }
    return SavedFamilies.save(model, tokenizer, labels, folder);
  }

  private static byte[] content(ObjectNode config) {
    return Models.utf8(config.toPrettyString() + "\n");
  }
}
