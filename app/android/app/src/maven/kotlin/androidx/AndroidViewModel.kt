// SPDX-License-Identifier: Apache-2.0
@file:Suppress("UNUSED_PARAMETER", "unused")

package androidx.lifecycle

import android.app.Application

open class AndroidViewModel(application: Application) : ViewModel()
