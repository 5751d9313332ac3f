package dev.jformer.hub;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.config.ConfigException;
import dev.jformer.data.DataException;
import dev.jformer.decode.LogitsException;
import dev.jformer.decode.Sampling;
import dev.jformer.io.FileTree;
import dev.jformer.io.FormatException;
import dev.jformer.run.LanguageModel;
import dev.jformer.run.RunException;
import dev.jformer.testing.JsonMutations;
import dev.jformer.testing.Mutations;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

/**
 * A Hugging Face folder in which {@code config.json} or another small file is damaged is refused in
 * a line, or its model works.
 */
class ModelFolderFuzzTest {
  private static final Map<String, Map<String, byte[]>> MODELS = new TreeMap<>();
  private static final AtomicInteger TRIED = new AtomicInteger();
  private static final AtomicInteger WORKED = new AtomicInteger();
  private static Path folder;

  /**
   * A damaged file of a model.
   *
   * @param model the folder of the model
   * @param name of the file
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Damaged(String model, String name, byte[] content) {
    @Override
    public String toString() {
      return model + "/" + name + ": " + new String(content, StandardCharsets.UTF_8);
    }
  }

  @BeforeContainer
  static void models() throws IOException {
    folder = Files.createTempDirectory("jformer-fuzz");
    JsonMapper json = new JsonMapper();
    Path given = BertTest.MODELS;
    for (String name : List.of("bert", "bert-mlm", "gpt2", "llama")) {
      Path place = Files.createDirectories(folder.resolve(name));
      try (Stream<Path> files = Files.list(given.resolve(name))) {
        for (Path file : files.filter(f -> !f.toString().contains("expected")).toList()) {
          Files.copy(file, place.resolve(file.getFileName()));
        }
      }
      Map<String, byte[]> small = new TreeMap<>();
      small.put("config.json", Files.readAllBytes(place.resolve("config.json")));
      if (name.equals("bert")) {
        json.readTree(given.resolve("side-files.json").toFile())
            .path("sentences")
            .get(9)
            .path("files")
            .properties()
            .forEach(file -> small.put(file.getKey(), Models.utf8(file.getValue().toString())));
      } else if (name.equals("bert-mlm")) {
        small.put("tokenizer_config.json", Models.utf8("{\"do_lower_case\":true}"));
        small.put("added_tokens.json", Models.utf8("{\"windy\":65}"));
      } else {
        ObjectNode ends = json.createObjectNode();
        ends.putArray("eos_token_id").add(1).add(2);
        small.put("generation_config.json", json.writeValueAsBytes(ends));
        ends.put("tokenizer_class", "LlamaTokenizer").put("bos_token", "<|endoftext|>");
        small.put("tokenizer_config.json", json.writeValueAsBytes(ends));
      }
      MODELS.put(name, small);
    }
  }

  @AfterContainer
  static void clean() throws IOException {
    FileTree.delete(folder);
    System.out.println(
        "ModelFolderFuzzTest: " + WORKED + " of " + TRIED + " damaged folders worked");
  }

  @Provide
  Arbitrary<Damaged> damaged() {
    return Arbitraries.of(MODELS.keySet())
        .flatMap(
            model ->
                Arbitraries.of(MODELS.get(model).keySet())
                    .flatMap(
                        name ->
                            JsonMutations.of(List.of(MODELS.get(model).get(name)))
                                .map(content -> new Damaged(model, name, content))));
  }

  @Property
  void modelsWorkOrAreRefused(@ForAll("damaged") Damaged damaged) {
    Mutations.check(
        "",
        () -> {
          Path place = folder.resolve(damaged.model());
          for (Map.Entry<String, byte[]> file : MODELS.get(damaged.model()).entrySet()) {
            boolean isIt = file.getKey().equals(damaged.name());
            Files.createDirectories(place.resolve(file.getKey()).getParent());
            Files.write(place.resolve(file.getKey()), isIt ? damaged.content() : file.getValue());
          }
          try {
            TRIED.incrementAndGet();
            use(place, damaged.model().startsWith("bert"));
            WORKED.incrementAndGet();
          } catch (ConfigException
              | FormatException
              | DataException
              | RunException
              | LogitsException
              | IOException
              | IllegalArgumentException e) {
            throw new Refused(e.getMessage());
          }
        },
        Refused.class);
  }

  /** One of the refusals that a user sees as a line. */
  static final class Refused extends Exception {
    private static final long serialVersionUID = 1;

    Refused(String message) {
      super(message);
    }
  }

  private static void use(Path place, boolean isEncoder) throws IOException {
    if (isEncoder) {
      try (SentenceEncoder encoder = SentenceEncoder.load(place, 2)) {
        encoder.embed(List.of("the wind blows", "", "there"));
      }
    } else {
      try (LanguageModel model = LanguageModel.load(place)) {
        model.generate(List.of("the minds", "a"), Sampling.GREEDY.maxTokens(3));
      }
    }
  }
}
