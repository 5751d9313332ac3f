package dev.jformer.studies;

import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.DataException;
import org.junit.jupiter.api.Test;

class DataSetsTest {
  @Test
  void saysWhatIsMissingAndWhatToDo() {
    assertNull(DataSets.find("no/such.csv"));
    String message =
        assertThrows(DataException.class, () -> DataSets.require("no/such.csv")).getMessage();
    assertTrue(message.contains("no/such.csv") && message.contains("JFORMER_DATA"), message);
  }
}
