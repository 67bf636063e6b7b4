// SPDX-License-Identifier: Apache-2.0
package portrait.relight;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The library as a Java app uses it: what README.md does in Python. */
class JavaTest {
    @Test
    void aPortraitIsRelit() {
        Photo photo = Golden.INSTANCE.getExample();
        // page: java
        try (Relighter relighter = new Relighter(new NativeModels())) {
            Portrait portrait = relighter.look(photo);
            Setup setup = portrait.suggest();
            Result result = portrait.render(setup);
            Light lamp = setup.getLights().get(0);
            Result own = portrait.render(List.of(new Light(-lamp.getAzimuthDeg(), 30)), 0.8, 720);
            // end
            assertFalse(setup.getReason().isEmpty());
            assertFalse(Arrays.equals(photo.getRgb(), result.getImage().getRgb()));
            assertEquals(1, result.getFaces().size());
            assertEquals(photo.getHeight(), own.getImage().getHeight());
            assertFalse(Arrays.equals(photo.getRgb(), own.getImage().getRgb()));
            assertEquals(Arrays.toString(photo.getRgb()), Arrays.toString(portrait.render(setup, 0.0).getImage().getRgb()));
        }
    }

    @Test
    void whatCannotBeMeantIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> new Setup(List.of(), 0));
        assertThrows(IllegalArgumentException.class, () -> new Light(0, 100));
        assertEquals(Light.WHITE, Light.fromDirection(new Vector(0, 0, 1)).getColor());
        Photo white = Photo.fromArgb(1, 2, new int[] {-1, -1});
        assertEquals(6, white.getRgb().length);
        try (Relighter relighter = new Relighter(new NativeModels())) {
            assertThrows(NoFaceError.class, () -> relighter.look(new Photo(8, 8, new byte[192])));
        }
    }
}
