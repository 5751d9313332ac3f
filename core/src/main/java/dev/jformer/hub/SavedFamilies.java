package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.config.ConfigException;
import dev.jformer.config.Configs;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.io.FormatException;
import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** Saves encoders and image models as Hugging Face folders, in the first family that fits. */
final class SavedFamilies {
  private static final List<SavedFamily<?>> ALL =
      List.of(
          new Roberta("roberta"),
          new Bert(),
          new DistilBert(),
          new MpNet(),
          new ModernBert(),
          new Vit("vit"),
          new Vit("deit"));

  private SavedFamilies() {}

  /**
   * Saves a model.
   *
   * @param tokenizer saved with it; null if the model has no text
   * @param labels the names of its classes; empty if it has none
   * @return the pipeline of transformers that uses it
   * @throws ConfigException if no family can express it; the message has the reason of each
   */
  static String save(Model model, Tokenizer tokenizer, List<String> labels, Path folder)
      throws IOException {
    Blueprint.of(model.config(), model.parameters().size()).check(model);
    StringBuilder reasons = new StringBuilder();
    for (SavedFamily<?> family : ALL) {
      if (family.ours().isInstance(model.config())) {
        try {
          return save(family, model, tokenizer, labels, folder);
        } catch (ConfigException | IllegalArgumentException e) {
          reasons.append(reasons.isEmpty() ? "" : "; ").append(e.getMessage());
        }
      }
    }
    throw new ConfigException(
        reasons.isEmpty()
            ? model.config().noun()
                + " cannot be saved for transformers: expected a causal language model, an encoder"
                + " or a Vision Transformer"
            : reasons.toString());
  }

  private static <C extends Model.Config> String save(
      SavedFamily<C> family, Model model, Tokenizer tokenizer, List<String> labels, Path folder)
      throws IOException {
    C ours = family.ours().cast(model.config());
    ObjectNode config = family.write(ours, labels);
    List<WeightMap> maps = family.weights(ours);
    TreeSet<String> names = new TreeSet<>();
    family.weights(family.plain(ours)).forEach(map -> names.addAll(map.theirs()));
    same(family, ours, family.read(config, folder, names));
    Map<String, byte[]> files = new HashMap<>();
    files.put(Models.CONFIG, content(config));
    family.companions(model).forEach((name, tree) -> files.put(name, content(tree)));
    if (tokenizer != null) {
      files.put(Tokenizer.FILE, tokenizer.json());
      files.put(SideFiles.TOKENIZER_CONFIG, content(settings((Encoder) model, tokenizer)));
    }
    Map<String, Parameter> parameters = model.parameters();
    try (Scope scope = Scope.open()) {
      Map<String, Tensor> tensors = new LinkedHashMap<>();
      for (WeightMap map : maps) {
        List<Tensor> parts = map.toTheirs(parameters.get(map.ours()).value().detach());
        for (int i = 0; i < parts.size(); i++) {
          tensors.put(map.theirs().get(i), parts.get(i));
        }
      }
      Models.save(folder, tensors, files);
    }
    return family.pipeline(ours);
  }

  /** Checks that a family describes a model completely. */
  private static <C extends Model.Config> void same(SavedFamily<C> family, C ours, C read) {
    JsonNode left = Configs.write(family.plain(ours));
    JsonNode right = Configs.write(family.plain(read));
    TreeSet<String> fields = new TreeSet<>();
    left.fieldNames().forEachRemaining(fields::add);
    right.fieldNames().forEachRemaining(fields::add);
    for (String field : fields) {
      if (!left.path(field).equals(right.path(field))) {
        throw new ConfigException(
            "this model cannot be saved as a "
                + family.title()
                + ", whose "
                + field
                + " is "
                + FormatException.oneLine(right.path(field).toString())
                + ": its own is "
                + FormatException.oneLine(left.path(field).toString()));
      }
    }
  }

  private static ObjectNode settings(Encoder model, Tokenizer tokenizer) {
    ObjectNode config = JsonNodeFactory.instance.objectNode();
    config.put("tokenizer_class", "PreTrainedTokenizerFast"); // what tokenizer.json says, no more
    config.put("model_max_length", model.config().length());
    config.put("clean_up_tokenization_spaces", false);
    List.of("input_ids", "attention_mask").forEach(config.putArray("model_input_names")::add);
    putToken(config, "pad_token", tokenizer, model.config().embeddings().padding());
    putToken(config, "mask_token", tokenizer, model.config().embeddings().mask());
    return config;
  }

  private static void putToken(ObjectNode config, String field, Tokenizer tokenizer, int id) {
    if (id >= 0 && id < tokenizer.vocabularySize()) {
      String token = tokenizer.decode(new int[] {id});
      if (tokenizer.id(token).orElse(-1) == id) {
        config.put(field, token);
      }
    }
  }

  private static byte[] content(ObjectNode config) {
    return Models.utf8(config.toPrettyString() + "\n");
  }
}
