// SPDX-License-Identifier: Apache-2.0
package portrait.relight.sample

/** Names of the resources, which the Android build makes from `res/values/strings.xml`. */
object R {
    object string {
        const val looking = 1
        const val saving = 2
        const val start = 3
        const val drag = 4
        const val no_face = 5
        const val unreadable = 6
        const val out_of_memory = 7
        const val not_saved = 8
        const val no_camera = 9
        const val saved = 10
        const val broken = 11
        const val lamp = 12
        const val intensity = 13
        const val pick = 14
        const val take = 15
        const val save = 16
        const val camera = 17
    }
}
