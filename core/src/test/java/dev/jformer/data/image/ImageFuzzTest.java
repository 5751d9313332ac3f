package dev.jformer.data.image;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.data.DataException;
import dev.jformer.testing.Mutations;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Damaged images of every kind are decoded or refused. */
class ImageFuzzTest {
  @Provide
  Arbitrary<byte[]> images() throws IOException {
    List<byte[]> files = new ArrayList<>();
    JsonNode all = new JsonMapper().readTree(getClass().getResourceAsStream("images.json"));
    for (JsonNode file : all) {
      files.add(Base64.getDecoder().decode(file.path("file").asText()));
    }
    for (String format : List.of("png", "gif", "bmp", "jpg")) {
      files.add(TestImages.file(format, 40, 30, (x, y) -> x * y * 977));
    }
    return Mutations.of(files);
  }

  @Property
  void imagesAreDecodedOrRefused(@ForAll("images") byte[] image) {
    Mutations.check("fuzz", () -> Picture.decode("fuzz", image, 8), DataException.class);
  }
}
