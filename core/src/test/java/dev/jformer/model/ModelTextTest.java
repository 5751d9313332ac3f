package dev.jformer.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.jformer.config.Configs;
import org.junit.jupiter.api.Test;

/** What models say of themselves. */
class ModelTextTest {
  private static String text(String json) {
    try (Model model = Configs.parse(json, Model.Config.class).build()) {
      return model.toString();
    }
  }

  @Test
  void namesTheFamilyItsSizesAndTheParameters() {
    assertEquals(
        "linear-forecaster, 10 rows to read, 2 to forecast, 1 variable, 44 parameters",
        text(
            "{\"model\":\"linear-forecaster\",\"variates\":1,\"lookBack\":10,\"horizon\":2,"
                + "\"calendar\":0}"));
    assertEquals(
        "encoder, 1 layers, width 8, vocabulary 256, 3,344 parameters",
        text(
            "{\"model\":\"encoder\",\"layers\":1,\"width\":8,\"vocab\":256,\"length\":8,"
                + "\"mixer\":{\"heads\":1}}"));
  }

  @Test
  void noModelSaysAHash() {
    for (String family : Configs.parts(Model.Config.class).keySet()) {
      assertFalse(text("{\"model\":\"" + family + "\"}").contains("@"), family);
    }
  }
}
