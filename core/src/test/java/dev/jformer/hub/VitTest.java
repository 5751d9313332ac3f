package dev.jformer.hub;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.io.SafetensorsFile;
import dev.jformer.model.vision.Framing;
import dev.jformer.model.vision.ImageModel;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tiny ViTs and DeiTs made by Python transformers: see tools/fixtures/make_vits.py. */
@ExtendWith(Scoped.class)
class VitTest {
  private static final Path MODELS = Path.of("src/test/resources/dev/jformer/hub/vits");

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"vit", "deit", "deit-distilled"})
  void logitsAreTransformers(String name) throws IOException {
    Path place = MODELS.resolve(name);
    try (Mode mode = Autograd.noGrad();
        ImageModel model = (ImageModel) Models.load(place);
        SafetensorsFile expected = SafetensorsFile.open(place.resolve("expected.safetensors"))) {
      Tensor pixels = expected.tensor("pixels");
      assertClose(expected.tensor("logits").toDoubles(), model.logits(pixels), 1e-5);
      assertEquals(List.of("boat", "cat", "aeroplane"), HeadLabels.read(place));
      Models.save(model, folder);
      try (ImageModel again = (ImageModel) Models.load(folder)) {
        assertEquals(model.config(), again.config());
        assertClose(expected.tensor("logits").toDoubles(), again.logits(pixels), 1e-5);
      }
    }
  }

  /** tools/fixtures/check_encoders.py does the same with transformers as the reader. */
  @ParameterizedTest
  @ValueSource(strings = {"vit", "deit", "deit-distilled"})
  void savedForTransformersItIsTheSame(String name) throws IOException {
    Path place = MODELS.resolve(name);
    try (Mode mode = Autograd.noGrad();
        ImageModel model = (ImageModel) Models.load(place);
        SafetensorsFile expected = SafetensorsFile.open(place.resolve("expected.safetensors"))) {
      List<String> labels = HeadLabels.read(place);
      assertEquals(
          "image-classification", HuggingFace.export(model, null, List.of(), labels, folder));
      try (ImageModel again = (ImageModel) Models.load(folder)) {
        assertEquals(model.config(), again.config());
        Tensor pixels = expected.tensor("pixels");
        assertClose(expected.tensor("logits").toDoubles(), again.logits(pixels), 1e-5);
      }
    }
  }

  private Path copy(String file, String field, String value) throws IOException {
    try (Stream<Path> files = Files.list(MODELS.resolve("deit"))) {
      for (Path each : files.toList()) {
        Files.copy(each, folder.resolve(each.getFileName()));
      }
    }
    JsonMapper json = new JsonMapper();
    ObjectNode config = (ObjectNode) json.readTree(folder.resolve(file).toFile());
    config.set(field, json.readTree(value));
    json.writeValue(folder.resolve(file).toFile(), config);
    return folder;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "config.json | qkv_bias | false | qkv_bias is false, which is not supported",
        "config.json | num_channels | 1 | num_channels is 1, which is not supported: only 3",
        "config.json | image_size | 16 | size is 12, but the model's images are of 16 pixels a"
            + " side",
        "config.json | model_type | \"vit\" | the tensor vit.embeddings.cls_token is missing",
        "preprocessor_config.json | image_std | [0.5, 0, 1] | expected a number for each",
        "preprocessor_config.json | image_mean | [0.5] | image_mean is [0.5]: expected",
        "preprocessor_config.json | rescale_factor | 1 | only 1/255 is supported",
        "preprocessor_config.json | do_rescale | false | do_rescale is false",
        "preprocessor_config.json | resample | 0 | resample is 0.0, which is not supported: only 1",
        "preprocessor_config.json | size | 14 | size is 14, but the model's images are of 12",
        "preprocessor_config.json | size | {\"shortest_edge\": 14} | do_center_crop is false",
        "preprocessor_config.json | size | {\"height\": 12, \"width\": 13} | expected one number",
        "preprocessor_config.json | do_resize | false | do_resize is false"
      })
  void whatIsNotSupportedIsRefused(String file, String field, String value, String message)
      throws IOException {
    Path place = copy(file, field, value);
    RuntimeException fault = assertThrows(RuntimeException.class, () -> Models.load(place).close());
    assertTrue(fault.getMessage().contains(message), fault.getMessage());
  }

  /** As the processors of ViT, DeiT and CLIP say it; and what is written is read as the same. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{'size': 12} | BILINEAR | true | 0",
        "{'size': {'height': 12, 'width': 12}, 'resample': 3} | BICUBIC | true | 0",
        "{'size': 14, 'do_center_crop': true, 'crop_size': 12, 'resample': 3} | BICUBIC | true |"
            + " 14",
        "{'size': {'shortest_edge': 14}, 'do_center_crop': true, 'crop_size': {'height': 12,"
            + " 'width': 12}, 'resample': 1} | LANCZOS | false | 14",
        "{'size': {'shortest_edge': 12}, 'do_center_crop': true} | BILINEAR | false | 0"
      })
  void picturesAreFramedAsTheFileSays(
      String preprocessor, Framing.Filter filter, boolean whole, int side) throws IOException {
    Path place = copy("config.json", "image_size", "12");
    Path file = place.resolve("preprocessor_config.json");
    Files.writeString(file, preprocessor.replace('\'', '"'));
    try (ImageModel model = (ImageModel) Models.load(place)) {
      Framing expected = new Framing(filter, whole, side);
      assertEquals(expected, model.config().framing());
      Path out = folder.resolve("exported");
      HuggingFace.export(model, null, List.of(), List.of(), out);
      try (ImageModel again = (ImageModel) Models.load(out)) {
        assertEquals(expected, again.config().framing());
      }
    }
  }

  @Test
  void pixelsThatAreNotNormalizedStayAsTheyAre() throws IOException {
    Path place = copy("preprocessor_config.json", "do_normalize", "false");
    try (Mode mode = Autograd.noGrad();
        ImageModel plain = (ImageModel) Models.load(place);
        ImageModel model = (ImageModel) Models.load(MODELS.resolve("deit"))) {
      Random.seed(1);
      Tensor pixels = Tensor.rand(1, 3, 12, 12);
      Tensor mean = Tensor.of(new double[] {0.4, 0.5, 0.6}, 1, 3, 1, 1);
      Tensor deviation = Tensor.of(new double[] {0.2, 0.25, 0.3}, 1, 3, 1, 1);
      Tensor standard = pixels.sub(mean.to(pixels.dtype())).div(deviation.to(pixels.dtype()));
      assertClose(model.logits(pixels), plain.logits(standard), 1e-5);
    }
  }
}
