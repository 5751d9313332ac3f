package dev.jformer.hub;

import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.jformer.data.text.ScoredPairs;
import dev.jformer.data.tokenizer.ByteTokenizer;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.model.Encoder;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(Scoped.class)
class SentenceEncoderTest {
  @TempDir Path folder;

  private static double norm(float[] vector) {
    return Math.sqrt(SentenceEncoder.cosine(vector, vector));
  }

  /** One text at a time, its hidden states averaged in a loop. */
  @Test
  void embedsTheMeanOfTokensAtLengthOne() throws IOException {
    Path bert = BertTest.MODELS.resolve("bert");
    List<String> texts =
        List.of("where the wind blows", "i", "", "the wind ".repeat(30), "Wind!", "there go i !");
    try (SentenceEncoder encoder = SentenceEncoder.load(bert, 4)) {
      float[][] embeddings = encoder.embed(texts);
      Tokenizer tokenizer = Tokenizers.load(bert);
      assertEquals(16, encoder.width());
      for (int i = 0; i < texts.size(); i++) {
        int[] ids = tokenizer.encodeWhole(texts.get(i), 20);
        assertTrue(ids.length <= 20);
        double[] mean = new double[16];
        try (Mode mode = Autograd.noGrad()) {
          Tensor hidden = encoder.model().hidden(Tensor.of(ids, 1, ids.length), null);
          double[] values = hidden.toDoubles();
          for (int at = 0; at < values.length; at++) {
            mean[at % 16] += values[at] / ids.length;
          }
        }
        double length = 0;
        for (double value : mean) {
          length += value * value;
        }
        for (int d = 0; d < 16; d++) {
          assertEquals(mean[d] / Math.sqrt(length), embeddings[i][d], 1e-5, texts.get(i));
        }
        assertEquals(1, norm(embeddings[i]), 1e-6);
      }
      assertEquals(0, encoder.embed(List.of()).length);
    }
  }

  @Test
  void anotherPoolingCanBeChosen() throws IOException {
    Path bert = BertTest.MODELS.resolve("bert");
    try (Mode mode = Autograd.noGrad();
        SentenceEncoder encoder = SentenceEncoder.load(bert)) {
      int[] ids = Tokenizers.load(bert).encodeWhole("the wind blows", 20);
      long[] longs = java.util.Arrays.stream(ids).asLongStream().toArray();
      double[] states = encoder.model().hidden(Tensor.of(longs, 1, ids.length), null).toDoubles();
      float[] first = encoder.withPooling("cls").embed("the wind blows");
      float[] last = encoder.withPooling("lasttoken").embed("the wind blows");
      double[] lengths = new double[2];
      for (int d = 0; d < 16; d++) {
        lengths[0] += states[d] * states[d];
        lengths[1] += Math.pow(states[16 * (ids.length - 1) + d], 2);
      }
      for (int d = 0; d < 16; d++) {
        assertEquals(states[d] / Math.sqrt(lengths[0]), first[d], 1e-5);
        double end = states[16 * (ids.length - 1) + d];
        assertEquals(end / Math.sqrt(lengths[1]), last[d], 1e-5);
      }
      assertEquals(32, encoder.withPooling("mean+max").embed("a").length);
      IllegalArgumentException fault =
          assertThrows(IllegalArgumentException.class, () -> encoder.withPooling("median"));
      assertTrue(
          fault.getMessage().contains("no pooling 'median': expected one of cls, max, mean"),
          fault.getMessage());
    }
  }

  @Test
  void saysWhatIsWrong() throws IOException {
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () -> SentenceEncoder.load(BertTest.MODELS.resolve("gpt2")));
    assertTrue(e.getMessage().contains("holds a causal-lm: expected an encoder"), e.getMessage());
    Encoder bert = (Encoder) Models.load(BertTest.MODELS.resolve("bert"));
    e =
        assertThrows(
            IllegalArgumentException.class, () -> new SentenceEncoder(bert, new ByteTokenizer()));
    assertTrue(
        e.getMessage().contains("256 ids, but the model's vocabulary has 67"), e.getMessage());
    Encoder bytes = new Encoder.Config().build();
    try (SentenceEncoder encoder = new SentenceEncoder(bytes, new ByteTokenizer())) {
      e = assertThrows(IllegalArgumentException.class, () -> encoder.embed(List.of("a", "", "b")));
      assertTrue(e.getMessage().contains("text 2 of 3 is empty"), e.getMessage());
    }
  }

  // ---- all-MiniLM-L6-v2 itself

  private Path minilm() throws IOException {
    for (Map.Entry<String, String> file :
        Map.of(
                "/all-minilm-l6-v2.onnx",
                "model.onnx",
                "/all-minilm-l6-v2-tokenizer.json",
                "tokenizer.json")
            .entrySet()) {
      try (InputStream in = SentenceEncoderTest.class.getResourceAsStream(file.getKey())) {
        assumeTrue(in != null, () -> "no " + file.getKey() + " on the class path");
        Files.copy(in, folder.resolve(file.getValue()));
      }
    }
    return folder;
  }

  private static List<String> sentences() {
    String root = System.getenv("JFORMER_DATA");
    List<String> texts = new ArrayList<>();
    for (String name : List.of("sts14-OnWN.tsv", "sts14-headlines.tsv")) {
      Path file = Path.of(root != null ? root : "../../shared/data", "sts", name);
      assumeTrue(
          Files.exists(file), () -> "no " + file + ": set JFORMER_DATA to a folder with sts/");
      ScoredPairs pairs = ScoredPairs.read(file);
      texts.addAll(pairs.first().subList(0, 50));
      texts.addAll(pairs.second().subList(0, 50));
    }
    return texts;
  }

  /** Each sentence alone through ONNX Runtime on the very file. */
  @Test
  void miniLmEmbedsAsOnnxRuntimeDoes() throws IOException, OrtException {
    List<String> texts = sentences();
    assertEquals(200, texts.size());
    Path model = minilm();
    Tokenizer tokenizer = Tokenizers.load(model);
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(1);
      options.setInterOpNumThreads(1);
      try (SentenceEncoder encoder = SentenceEncoder.load(model);
          OrtSession session =
              environment.createSession(model.resolve("model.onnx").toString(), options)) {
        assertEquals(22_565_376, encoder.model().parameterCount());
        float[][] ours = encoder.embed(texts);
        double worst = 1;
        for (int i = 0; i < texts.size(); i++) {
          float[] theirs =
              embedding(environment, session, tokenizer.encodeWhole(texts.get(i), 512));
          worst = Math.min(worst, SentenceEncoder.cosine(ours[i], theirs) / norm(theirs));
        }
        assertTrue(worst > 0.99999, "the least cosine is " + worst);
      }
    }
  }

  private static float[] embedding(OrtEnvironment environment, OrtSession session, int[] ids)
      throws OrtException {
    long[][] given = new long[1][ids.length];
    long[][] ones = new long[1][ids.length];
    for (int i = 0; i < ids.length; i++) {
      given[0][i] = ids[i];
      ones[0][i] = 1;
    }
    try (OnnxTensor tokens = OnnxTensor.createTensor(environment, given);
        OnnxTensor mask = OnnxTensor.createTensor(environment, ones);
        OnnxTensor types = OnnxTensor.createTensor(environment, new long[1][ids.length]);
        OrtSession.Result result =
            session.run(
                Map.of("input_ids", tokens, "attention_mask", mask, "token_type_ids", types))) {
      float[][] hidden = ((float[][][]) result.get(0).getValue())[0];
      float[] mean = new float[hidden[0].length];
      for (float[] token : hidden) {
        for (int d = 0; d < mean.length; d++) {
          mean[d] += token[d] / hidden.length;
        }
      }
      return mean;
    }
  }

  @Test
  void miniLmSavedAsOursIsTheSameToTheBit(@TempDir Path saved) throws IOException {
    Path model = minilm();
    List<String> texts = List.of("A cat sits on the mat.", "It rains.");
    try (SentenceEncoder encoder = SentenceEncoder.load(model)) {
      Models.save(encoder.model(), saved);
      Tokenizers.load(model).save(saved);
      try (SentenceEncoder again = SentenceEncoder.load(saved)) {
        assertEquals(encoder.model().config(), again.model().config());
        encoder
            .model()
            .parameters()
            .forEach(
                (name, p) ->
                    assertSame(p.value(), again.model().parameters().get(name).value(), name));
        float[][] before = encoder.embed(texts);
        float[][] after = again.embed(texts);
        for (int i = 0; i < texts.size(); i++) {
          org.junit.jupiter.api.Assertions.assertArrayEquals(before[i], after[i]);
        }
      }
    }
  }
}
